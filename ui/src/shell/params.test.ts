import assert from 'node:assert/strict';
import { test } from 'node:test';

import { flag, oneOf, params, parseSearch, stringifySearch, takeDropped, text, texts, time } from './params.ts';

const read = params({ q: text(5), type: texts(3, 2), from: time, sort: oneOf('newest'), why: flag });

test('what is understood is there, the rest is not, and is named', () => {
  const bad = '?q=toolong&type=long&from=yesterday&sort=sideways&why=maybe&other=1';
  takeDropped(bad);
  assert.deepEqual(read(parseSearch('?q=abc&type=a&type=b&from=2026-01-01&sort=newest&why=1')), { q: 'abc', type: ['a', 'b'], from: '2026-01-01', sort: 'newest', why: true });
  assert.deepEqual(read(parseSearch(bad)), {});
  assert.deepEqual(takeDropped(bad).sort(), ['from', 'other', 'q', 'sort', 'type', 'why']);
  assert.deepEqual(takeDropped(bad), []);
  read(parseSearch(bad));
  assert.deepEqual(takeDropped('?sort=sideways&tab=x'), ['sort'], 'what another page would leave out says nothing of this one');
  assert.deepEqual(read(parseSearch('?type=a&type=b&type=c')).type, ['a', 'b']);
  assert.deepEqual(read(parseSearch('?from=2026-13-45')), {});
});

test('what was read is read again as the same', () => {
  const once = read(parseSearch('?q=abc&type=a&from=2026-01-01&sort=newest&why=1'));
  takeDropped('');
  assert.deepEqual(read(once), once);
  assert.deepEqual(takeDropped('?q=abc'), []);
});

test('an address is written as it is read', () => {
  const search = { q: 'a b&c', type: ['x', 'y'], why: true, none: undefined, off: false };
  assert.equal(stringifySearch(search), '?q=a+b%26c&type=x&type=y&why=1');
  assert.deepEqual(read(parseSearch(stringifySearch({ q: 'a b', type: ['x'] }))), { q: 'a b', type: ['x'] });
});
