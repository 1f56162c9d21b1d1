import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changes, nearest, ticks } from './tuned.ts';
import type { Run, Tuned } from './tuning.ts';

const run = (mode: Run['mode'], weight: number, ndcg: number): Run => ({ mode, weight, ndcg_at_10: ndcg, mrr_at_10: 0, recall_at_100: 0 });
const query = (text: string, ...ndcg: number[]) => ({ text, relevant: 1, runs: [run('keyword', 1, 0.9), run('vector', 0, 0.9), ...ndcg.map((worth, index) => run('hybrid', index / 2, worth))] });

test('queries that gain and lose are told apart, most first', () => {
  const tuned = { per_query: [query('a', 0, 0.2, 0.1), query('b', 0, 0.2, 0.9), query('c', 0, 0.5, 0.5 + 1e-12), query('d', 1, 0.2, 0.3)] } as unknown as Tuned;
  const { gain, lose, stay } = changes(tuned, 0.5, 1);
  assert.deepEqual([gain, lose, stay].map((list) => list.map(({ text }) => text)), [['b', 'd'], ['a'], ['c']]);
  assert.deepEqual([gain[0]!.from, gain[0]!.to], [0.2, 0.9]);
});

test('a weight that was not tried stands by the nearest', () => {
  const { runs } = query('a', 0.1, 0.2, 0.3);
  assert.equal(nearest(runs, 0.45)!.weight, 0.5);
  assert.equal(nearest([], 0.45), undefined);
});

test('an axis has round numbers, and room for every value', () => {
  assert.deepEqual(ticks([0.382, 0.4378]), [0.38, 0.4, 0.42, 0.44]);
  assert.deepEqual(ticks([0, 1]), [0, 0.5, 1]);
  assert.deepEqual(ticks([0.5, 0.5]).length, 2);
  for (const values of [[0.0, 0.0], [0.3812, 0.3813], [0.1, 0.97], [1, 1]]) {
    const axis = ticks(values);
    assert.ok(axis[0]! <= Math.min(...values) && axis.at(-1)! >= Math.max(...values) && axis.length <= 6, String(axis));
  }
});
