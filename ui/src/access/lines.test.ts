import assert from 'node:assert/strict';
import { test } from 'node:test';

import { around, compare } from './lines.ts';

const written = (before: string, after: string) => compare(before, after).map(({ text, is }) => `${{ same: ' ', out: '-', in: '+' }[is]}${text}`).join('|');

test('what was taken out, what came in, what stayed', () => {
  assert.equal(written('a\nb\nc', 'a\nb\nc'), ' a| b| c');
  assert.equal(written('a\nb\nc\nd', 'a\nx\nc\nd\ne'), ' a|-b|+x| c|-d|+d|+e'.replace('|-d|+d', '| d'));
  assert.equal(written('', 'a'), '-|+a');
  assert.equal(written('a\nb\na\nb', 'b\na\nb\na'), '-a| b| a| b|+a');
});

test('lines far from what changed are left out', () => {
  const before = Array.from({ length: 20 }, (_, n) => `line ${n}`);
  const shown = around(compare(before.join('\n'), before.with(10, 'other').join('\n')));
  assert.deepEqual(shown.map((line) => line?.text ?? null), [null, 'line 7', 'line 8', 'line 9', 'line 10', 'other', 'line 11', 'line 12', 'line 13', null]);
});
