// Arithmetic on what judged queries said: points of the curve, and which queries one weight serves better than another.

import type { Measures, QueryRuns, Run, Tuned } from './tuning.ts';

/** What both are worth at each weight, in its order. */
export const curveOf = (runs: Run[]): Run[] => runs.filter(({ mode }) => mode === 'hybrid');

/** What one of them alone is worth. */
export const aloneOf = (runs: Run[], mode: 'keyword' | 'vector'): Run | undefined => runs.find((run) => run.mode === mode);

/** The weight that was tried and is nearest to one. */
export function nearest(runs: Run[], weight: number): Run | undefined {
  return curveOf(runs).toSorted((a, b) => Math.abs(a.weight - weight) - Math.abs(b.weight - weight))[0];
}

/** A query, and what it is worth at one weight and at another. */
export interface Change {
  text: string;
  relevant: number;
  from: number;
  to: number;
}

/** A difference that is smaller is none: sums of the same numbers in another order. */
const EQUAL = 1e-9;

/** Queries that gain and lose most first, and those that stay, if the weight goes from one to another. */
export function changes({ per_query: queries }: Tuned, from: number, to: number): { gain: Change[]; lose: Change[]; stay: Change[] } {
  const at = (runs: Run[], weight: number) => nearest(runs, weight)?.ndcg_at_10 ?? 0;
  const all = queries.map(({ text, relevant, runs }: QueryRuns) => ({ text, relevant, from: at(runs, from), to: at(runs, to) }));
  const by = (sign: number) => all.filter((change) => sign * (change.to - change.from) > EQUAL).sort((a, b) => sign * (b.to - b.from - (a.to - a.from)));
  return { gain: by(1), lose: by(-1), stay: all.filter((change) => Math.abs(change.to - change.from) <= EQUAL) };
}

/** Round numbers that span some values, from below the least to above the most: an axis. */
export function ticks(values: number[], most = 5): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const steps = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
  const step = steps.find((step) => Math.ceil(high / step) - Math.floor(low / step) < most) ?? 1;
  const first = Math.floor(low / step);
  // Where all are equal there is still a line above.
  const last = Math.max(first + 1, Math.ceil(high / step));
  return Array.from({ length: last - first + 1 }, (_, index) => Math.round((first + index) * step * 1000) / 1000);
}

export const MEASURES: { id: keyof Measures; word: string; says: string }[] = [
  { id: 'ndcg_at_10', word: 'nDCG@10', says: 'how near the first ten are to the best order' },
  { id: 'mrr_at_10', word: 'MRR@10', says: 'one over the rank of the first relevant hit' },
  { id: 'recall_at_100', word: 'Recall@100', says: 'of everything relevant, the share among the first hundred' },
];
