import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderToStaticMarkup } from 'react-dom/server';

import { Marked } from './marks.tsx';

const shown = (text: string, ...highlights: [number, number][]) =>
  renderToStaticMarkup(<Marked text={text} highlights={highlights.map(([start, end]) => ({ start, end }))} />);

test('places are bytes, and characters may have several', () => {
  assert.equal(shown('é dump ü', [3, 7]), 'é <mark>dump</mark> ü');
  assert.equal(shown('🦊dump', [4, 8]), '🦊<mark>dump</mark>');
});

test('links and citations are left out, and what is marked in them with them', () => {
  assert.equal(shown('[WCE](https://x.org/S1) can dump.(Citation: Dump it)', [28, 32], [44, 48]), 'WCE can <mark>dump</mark>.');
  assert.equal(shown('a [b] c (d)'), 'a [b] c (d)');
});

test('markup in a text is text', () => {
  assert.equal(shown('<b>x</b>', [3, 4]), '&lt;b&gt;<mark>x</mark>&lt;/b&gt;');
});
