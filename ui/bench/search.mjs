// From a keystroke to hits on screen: a node with many texts, a browser that types questions, and the time until they are painted.
//
//     node bench/search.mjs [TEXTS]
//
// It needs an optimised binary (INTELGRAPH_PROGRAM, or ../target/release/intelgraph), `dist/`, Debian's chromium, about 3 GB of disk, and
// nothing else that runs. A text has 30 words and a name of 3, of 30,000 words by Zipf's law.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { chromium } from 'playwright-core';

import { front } from '../tests/front.mjs';

const texts = Number(process.argv[2] ?? 1_000_000);
const QUESTIONS = 40;
const WORDS = 30_000;
const program = process.env.INTELGRAPH_PROGRAM ?? '../target/release/intelgraph';
const directory = mkdtempSync(join(tmpdir(), 'bench-search-'));

/** The same numbers each time. */
let state = 17;
function random() {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

/** The word of a rank: pronounceable, and of a length that words have. */
function word(rank) {
  const [consonants, vowels] = ['bcdfghjklmnprstvz', 'aeiou'];
  let text = '';
  for (let left = rank + 40; left > 0; left = Math.floor(left / 85)) text += consonants[left % 17] + vowels[Math.floor(left / 17) % 5];
  return `${text}n`;
}

const zipf = () => Math.min(WORDS - 1, Math.floor(Math.exp(random() * Math.log(WORDS))) - 1);
const some = (count) => Array.from({ length: count }, () => word(zipf())).join(' ');

function* lines() {
  for (let n = 0; n < texts; n++) {
    yield `${JSON.stringify({ id: `text-${n}`, type: ['report', 'note', 'host', 'person'][n % 4], attributes: { name: some(3) }, texts: [{ text: some(30) }] })}\n`;
  }
}

/** Lines in larger pieces. */
function* pieces() {
  let piece = '';
  for (const line of lines()) {
    piece += line;
    if (piece.length > 200_000) {
      yield piece;
      piece = '';
    }
  }
  yield piece;
}

const node = spawn(program, ['serve', '--json', '--listen', '127.0.0.1:0', '--data-dir', join(directory, 'data')], { stdio: ['ignore', 'pipe', 'ignore'], env: {} });
const ready = JSON.parse(String((await once(node.stdout, 'data'))[0]));
const port = Number(new URL(ready.url).port);
try {
  const began = Date.now();
  const query = new URLSearchParams({ format: 'jsonl', source: 'bench', purpose: 'demo', licence: 'MIT-OK', classification: 'public' });
  const sent = request({ port, host: '127.0.0.1', method: 'POST', path: `/api/v1/import?${query}`, headers: { authorization: `Bearer ${ready.token}` } });
  const [[answer]] = await Promise.all([once(sent, 'response'), pipeline(Readable.from(pieces()), sent)]);
  let told = '';
  for await (const piece of answer) told += piece;
  console.log(`imported: ${told}\nafter ${((Date.now() - began) / 1000).toFixed(0)} s`);
  await measure(await front('dist', port));
} finally {
  node.kill();
  await once(node, 'exit');
  rmSync(directory, { recursive: true });
}

async function measure(url) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--disable-gpu', '--no-sandbox'] });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await context.request.post(`${url}/api/v1/session`, { data: { token: ready.token } });
  await page.goto(`${url}/t/default/search?q=${word(5)}`);
  await page.getByRole('region', { name: 'Hits' }).getByRole('heading').first().waitFor();
  const took = [];
  for (let question = 0; question < QUESTIONS; question++) {
    await page.getByRole('combobox', { name: 'Search' }).fill('');
    await page.waitForTimeout(800);
    for (const letter of some(2)) took.push(...await typed(page, letter));
  }
  took.sort((a, b) => a - b);
  const at = (share) => took[Math.floor(took.length * share)].toFixed(0);
  console.log(`${texts} texts, ${took.length} keystrokes to hits on screen: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${took.at(-1).toFixed(0)} ms`);
  await browser.close();
}

/** Types a letter as somebody does, and waits for its hits; a space changes nothing. */
async function typed(page, letter) {
  await page.evaluate(() => {
    performance.clearMarks('ig:search');
    addEventListener('keydown', () => performance.mark('bench:key'), { once: true, capture: true });
  });
  await page.keyboard.press(letter === ' ' ? 'Space' : letter);
  if (letter === ' ') return [];
  const ms = await page.waitForFunction(() => {
    const [key, hits] = ['bench:key', 'ig:search'].map((name) => performance.getEntriesByName(name).at(-1));
    return hits && hits.startTime - key.startTime;
  });
  await page.waitForTimeout(60 + Math.random() * 120);
  return [await ms.jsonValue()];
}
