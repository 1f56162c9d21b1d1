import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pieces, takeApart, without } from './words.ts';

test('filters are taken out of what is typed, quoted or not', () => {
  const { words, parts } = takeApart('type:malware dump source:"two words" source:attack -lsass');
  assert.equal(words, 'dump -lsass');
  assert.deepEqual(parts.map(({ filter, value }) => [filter, value]), [['type', 'malware'], ['source', 'two words'], ['source', 'attack']]);
});

test('what has a minus before it is left out', () => {
  const { words, parts } = takeApart('-type:malware dump -source:"two words" class:secret -class:public');
  assert.deepEqual(parts.map(({ filter, isNot, value }) => [filter, isNot, value]), [['type', true, 'malware'], ['source', true, 'two words'], ['class', false, 'secret']]);
  assert.equal(words, 'dump -class:public', 'a classification is chosen, not left out');
  assert.equal(without('-type:malware dump', parts[0]!), 'dump');
});

test('a filter that is not finished filters nothing, and is not searched for', () => {
  assert.deepEqual(takeApart('dump type:'), { words: 'dump type:', parts: [] });
  assert.deepEqual(takeApart('dump after:soon'), { words: 'dump', parts: [] });
  assert.equal(takeApart('subtype:x').words, 'subtype:x');
});

test('a part is taken out as it was typed', () => {
  const text = 'a type:"x y" b';
  assert.equal(without(text, takeApart(text).parts[0]!), 'a b');
});

test('a phrase is one piece', () => {
  assert.deepEqual(pieces('a -"b c" "d e" -f'), ['a', '-"b c"', '"d e"', '-f']);
});
