// What the page asks: the address and what is being typed, made one.

import type { Variables } from '../gateway/run.ts';
import { takeApart, type Typed } from './words.ts';

export interface Params {
  q?: string;
  type?: string[];
  source?: string[];
  /** Entities, if it is not said. */
  form?: 'relation' | 'all';
  from?: string;
  to?: string;
  sort?: 'relevance' | 'newest';
  hit?: string;
  revoked?: true;
  why?: true;
}

export interface Asked extends Typed {
  variables: Variables<'search:v3'>;
  /** Nothing is asked for: neither words nor a filter. */
  isEmpty: boolean;
}

const DAY_MS = 86_400_000;

export function question(params: Params, typing: string | null): Asked {
  const typed = takeApart(typing ?? params.q ?? '');
  const of = (filter: string) => typed.parts.filter((part) => part.filter === filter).map((part) => part.value);
  const types = [...(params.type ?? []), ...of('type')];
  const sources = [...(params.source ?? []), ...of('source')];
  const from = of('after').at(-1) ?? params.from;
  const to = of('before').at(-1) ?? params.to;
  return {
    ...typed,
    isEmpty: !typed.words && !types.length && !sources.length && !from && !to,
    variables: {
      form: params.form === 'all' ? undefined : params.form === 'relation' ? 'RELATION' : 'ENTITY',
      q: typed.words, types, sources, facets: true,
      since: from && new Date(from).toISOString(),
      // A day is meant with all of its hours.
      before: to && new Date(Date.parse(to) + (to.length === 10 ? DAY_MS : 0)).toISOString(),
      newest: params.sort === 'newest' || undefined,
      // While somebody types, the last word may be the beginning of one.
      typing: (typing !== null && /\S$/.test(typing)) || undefined,
      includeRevoked: params.revoked,
    },
  };
}
