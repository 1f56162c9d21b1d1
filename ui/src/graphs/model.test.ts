import assert from 'node:assert/strict';
import { test } from 'node:test';

import { add, begin, counts, graphOf, group, heldBy, lines, move, nearest, redo, remove, type Thing, type Tie, undo, ungroup, written, drawnNeighbours } from './model.ts';

const thing = (id: string, x = 0, y = 0, pinned = false): Thing => ({ id, type: 'host', base: null, title: id, status: 'active', x, y, pinned, degree: 1 });
const tie = (from: string, to: string, kind = 'feeds', relations = 1): Tie => ({ from, to, kind, relations, weight: null });
const state = (work: { graph: { things: ReadonlyMap<string, unknown>; ties: ReadonlyMap<string, unknown> } }) => ({
  things: new Map(work.graph.things), ties: new Map(work.graph.ties),
});

test('taking everything back, and doing it again, ends where it was at each step', () => {
  let work = begin(graphOf([thing('a')], []));
  const seen = [state(work)];
  const steps = [
    (now: typeof work) => add(now, 'add', [thing('b', 200), thing('c', 400)], [tie('a', 'b'), tie('b', 'c')]),
    (now: typeof work) => move(now, 'drag', [{ id: 'b', x: 210.4, y: 7 }], true),
    (now: typeof work) => remove(now, 'hide', new Set(['b'])),
    (now: typeof work) => add(now, 'add', [thing('b', 900)], [tie('a', 'b')]),
    (now: typeof work) => move(now, 'arrange', [{ id: 'a', x: 1, y: 1 }, { id: 'c', x: 2, y: 2 }]),
  ];
  for (const step of steps) {
    work = step(work);
    seen.push(state(work));
  }
  for (const before of seen.slice(0, -1).toReversed()) {
    work = undo(work);
    assert.deepEqual(state(work), before);
  }
  assert.equal(undo(work), work, 'nothing is left to take back');
  for (const after of seen.slice(1)) {
    work = redo(work);
    assert.deepEqual(state(work), after);
  }
  assert.equal(redo(work), work);
});

test('what is there neither moves nor changes when more is added', () => {
  const work = begin(graphOf([thing('a', 5, 6, true)], []));
  const after = add(work, 'expand', [thing('a', 99, 99), thing('b')], [tie('a', 'b')]);
  assert.deepEqual(after.graph.things.get('a'), thing('a', 5, 6, true));
  assert.equal(add(after, 'expand', [thing('b', 1)], [tie('a', 'b'), tie('b', 'nobody')]), after, 'and nothing new is no step');
});

test('a new step forgets what was taken back', () => {
  const work = undo(add(begin(), 'add', [thing('a')], []));
  assert.equal(work.future.length, 1);
  assert.equal(add(work, 'add', [thing('b')], []).future.length, 0);
});

test('a thing holds those that lead to nothing else, but for what is pinned', () => {
  const things = ['hub', 'leaf', 'shared', 'other', 'pin'].map((id) => thing(id, 0, 0, id === 'pin'));
  const graph = graphOf(things, [tie('hub', 'leaf'), tie('hub', 'shared'), tie('shared', 'other'), tie('hub', 'pin')]);
  assert.deepEqual(heldBy(graph, 'hub'), new Set(['leaf']));
});

test('ties of one pair are one line, whatever their kind and direction', () => {
  const graph = graphOf([thing('a'), thing('b')], [tie('a', 'b', 'feeds', 2), tie('b', 'a', 'knows'), tie('a', 'b', 'owns')]);
  const [line, ...others] = lines(graph);
  assert.deepEqual([others.length, line?.relations, line?.both, line?.ties.length], [0, 4, true, 3]);
});

test('an arrow leads to what lies that way, straight before aside', () => {
  const graph = graphOf([thing('mid'), thing('right', 300), thing('aside', 150, 140), thing('up', 10, -90)], []);
  const to = (way: 'left' | 'right' | 'up' | 'down') => nearest(graph, { x: 0, y: 0 }, way, 'mid')?.id;
  assert.deepEqual([to('right'), to('up'), to('left'), to('down')], ['right', 'up', undefined, 'aside']);
});

test('the node is told what is drawn, a line for each', () => {
  assert.equal(written(graphOf([thing('a', 1, -2, true), thing('b c', 3)], [])), 'a\t1\t-2\tp\nb c\t3\t0');
});

test('the legend counts what is there, most first', () => {
  assert.deepEqual(counts(['b', 'a', 'b', 'c'], (one) => one), [['b', 2], ['a', 1], ['c', 1]]);
});

test('many of a type that hang on one thing are one that stands for them, and come back as they were', () => {
  const leaves = Array.from({ length: 6 }, (_, n) => thing(`leaf-${n}`, n * 10, 100));
  const other = { ...thing('other'), type: 'person' };
  const work = begin(graphOf([thing('hub'), other, ...leaves], [tie('hub', 'other'), tie('other', 'hub'), ...leaves.map(({ id }) => tie('hub', id))]));
  const grouped = group(work);
  assert.deepEqual([...grouped.graph.things.values()].map(({ title }) => title), ['hub', 'other', '6 host']);
  assert.equal(written(grouped.graph), written(work.graph), 'the node still knows all of them');
  assert.equal(drawnNeighbours(grouped.graph).get('hub'), 7);
  const back = ungroup(grouped, 'hub\nhost');
  assert.deepEqual(state(back), state(work));
  assert.deepEqual(state(undo(undo(back))), state(work));
});
