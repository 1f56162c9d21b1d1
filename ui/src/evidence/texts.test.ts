import assert from 'node:assert/strict';
import { test } from 'node:test';

import { textsIn } from './texts.ts';

/** A field of number 1 with a length. */
const field = (inner: Buffer | string) => Buffer.concat([Buffer.of(10, Buffer.byteLength(inner)), Buffer.from(inner as string)]);

test('texts stand in their order, a name and its value on one line', () => {
  const body = Buffer.concat([field('host-1'), Buffer.of(16, 129, 1), field(Buffer.concat([field('name'), field('"gate"')])), field('Wörter')]);
  assert.deepEqual(textsIn(body), ['host-1', 'name: "gate"', 'Wörter']);
});

test('bytes that are no message hold no texts', () => {
  for (const bytes of [[], [7], [10, 200, 1, 2], [255, 255, 255]]) assert.deepEqual(textsIn(Buffer.from(bytes)), [], String(bytes));
});
