// Judged queries, which the node asks one after the other: what each weight of words against meaning is worth by them. The round goes on as
// long as somebody looks at its page; what was found stays for who comes back.

import { useQuery } from '@tanstack/react-query';

import { failure, GatewayError, json, send } from '../gateway/run.ts';
import { queries } from '../gateway/use.ts';

export interface Measures {
  ndcg_at_10: number;
  mrr_at_10: number;
  recall_at_100: number;
}

/** A way to search, and what it is worth. */
export interface Run extends Measures {
  mode: 'keyword' | 'vector' | 'hybrid';
  weight: number;
}

export interface QueryRuns {
  text: string;
  /** Things that are relevant to it. */
  relevant: number;
  runs: Run[];
}

/** What judged queries say of each weight. */
export interface Tuned {
  /** The best weight, */
  weight: number;
  /** and the tenant's, when they were asked. */
  current: number;
  /** What choosing a weight so is worth on queries by which it was not chosen. */
  cross_validated: number;
  /** That beside the tenant's weight. */
  against_current: { difference: number; better: number; worse: number; p: number };
  queries: number;
  /** Words alone, meaning alone, and both at each weight. */
  runs: Run[];
  per_query: QueryRuns[];
  notes: string[];
}

/** Among what is searched. */
export type Form = 'entity' | 'relation' | 'all';

export interface Tuning {
  /** Lines of JSON, and the name of their file if they have one. */
  judged: string;
  file?: string;
  form: Form;
  /** How far it is, while the queries are asked. */
  asking?: { asked: number; of?: number };
  tuned?: Tuned;
  /** Among what `tuned` was found. */
  among?: Form;
  error?: GatewayError;
}

/** The node takes no more, in bytes. */
export const BYTES_MAX = 8 << 20;

const START: Tuning = { judged: '', form: 'entity' };
let leaving: AbortController | undefined;

const key = (tenant: string) => ['tuning', tenant];

/** It is kept with what the node answered, and so forgotten with that when somebody else signs in. */
export function useTuning(tenant: string): Tuning {
  return useQuery({ queryKey: key(tenant), queryFn: () => START, initialData: START, enabled: false, staleTime: Infinity, gcTime: Infinity }).data;
}

export function change(tenant: string, to: Partial<Tuning>) {
  queries.setQueryData<Tuning>(key(tenant), (before) => ({ ...(before ?? START), ...to }));
}

/** Has the queries asked; what was found before is gone. */
export async function begin(tenant: string, { judged, form }: Tuning) {
  stop(tenant);
  const round = (leaving = new AbortController());
  change(tenant, { asking: { asked: 0 }, tuned: undefined, error: undefined });
  const told = (to: Partial<Tuning>) => leaving === round && change(tenant, to);
  try {
    told({ tuned: await ask(judged, form, round.signal, (asking) => told({ asking })), among: form, asking: undefined });
  } catch (error) {
    told({ error: error as GatewayError, asking: undefined });
  }
}

/** Ends the round, if one is going: the node asks no further query. */
export function stop(tenant: string) {
  leaving?.abort();
  leaving = undefined;
  change(tenant, { asking: undefined });
}

async function ask(judged: string, form: Form, signal: AbortSignal, told: (asking: Tuning['asking']) => void): Promise<Tuned> {
  const query = form === 'all' ? '' : `?${new URLSearchParams({ form })}`;
  const response = await send(`/api/v1/search/tune${query}`, { method: 'POST', signal, headers: { 'content-type': 'application/x-ndjson' }, body: judged });
  if (!response.ok) throw failure(response, (await json(response)).error);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new GatewayError('unreachable', 'The node ended before all queries were asked. Ask them again.');
    const lines = (text + value).split('\n');
    text = lines.pop()!;
    for (const line of lines) {
      const said = JSON.parse(line);
      if (said.error) throw failure(response, said.error);
      if (said.tuned) return said.tuned;
      told({ asked: said.asked, of: said.of });
    }
  }
}
