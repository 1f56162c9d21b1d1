// What the page asks: the address and what is being typed, made one.

import type { Variables } from '../gateway/run.ts';
import { CLASSIFICATIONS } from '../gateway/terms.ts';
import { takeApart, type Typed } from './words.ts';

export interface Params {
  q?: string;
  type?: string[];
  source?: string[];
  notType?: string[];
  notSource?: string[];
  /** Classifications. */
  class?: string[];
  /** Entities, if it is not said. */
  form?: 'relation' | 'all';
  from?: string;
  to?: string;
  sort?: 'relevance' | 'newest';
  /** By words and meaning; by words, if it is not said. */
  by?: 'meaning';
  /** What words count against meaning, in hundredths; as the tenant has it, if it is not said. */
  weight?: number;
  hit?: string;
  revoked?: true;
  why?: true;
}

export interface Asked extends Typed {
  variables: Variables<'search:v4'>;
  /** Nothing is asked for: neither words nor a filter. */
  isEmpty: boolean;
}

const DAY_MS = 86_400_000;

export function question(params: Params, typing: string | null): Asked {
  const typed = takeApart(typing ?? params.q ?? '');
  const of = (filter: string, isNot = false) => typed.parts.filter((part) => part.filter === filter && part.isNot === isNot).map((part) => part.value);
  const types = [...(params.type ?? []), ...of('type')];
  const sources = [...(params.source ?? []), ...of('source')];
  const notTypes = [...(params.notType ?? []), ...of('type', true)];
  const notSources = [...(params.notSource ?? []), ...of('source', true)];
  const classifications = [...(params.class ?? []), ...of('class')].filter((word) => CLASSIFICATIONS.some(({ id }) => id === word));
  const from = of('after').at(-1) ?? params.from;
  const to = of('before').at(-1) ?? params.to;
  return {
    ...typed,
    isEmpty: !typed.words && [types, sources, notTypes, notSources, classifications].every((list) => list.length === 0) && !from && !to,
    variables: {
      form: params.form === 'all' ? undefined : params.form === 'relation' ? 'RELATION' : 'ENTITY',
      q: typed.words, types, sources, notTypes, notSources, classifications,
      since: from && new Date(from).toISOString(),
      // A day is meant with all of its hours.
      before: to && new Date(Date.parse(to) + (to.length === 10 ? DAY_MS : 0)).toISOString(),
      newest: params.sort === 'newest' || undefined,
      // While somebody types, the last word may be the beginning of one.
      typing: (typing !== null && /\S$/.test(typing)) || undefined,
      includeRevoked: params.revoked,
      explain: params.why,
    },
  };
}

interface Count {
  field: string;
  value: string;
  count: number;
}

/** How many hits there are: each has one type, and a filter by type does not narrow the counts by type. */
export function totalOf(facets: Count[] | null, { types, notTypes }: Variables<'search:v4'>): number {
  const counts = (facets ?? []).filter(({ field, value }) => field === 'type' && (!types?.length || types.includes(value)) && !notTypes?.includes(value));
  return counts.reduce((sum, { count }) => sum + count, 0);
}
