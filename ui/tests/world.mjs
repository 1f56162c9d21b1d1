// What the tests in a browser stand on: the real binary with the demo's data, and Debian's chromium.
//
// INTELGRAPH_PROGRAM is the binary, built with the feature `ui`; INTELGRAPH_DEMO_BUNDLE its data; INTELGRAPH_SCREENSHOTS a directory
// where pictures of the pages are kept. With INTELGRAPH_UI_DIST=dist the pages come from there, and the binary need not carry them.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

import { chromium } from 'playwright-core';

import { front } from './front.mjs';

const program = process.env.INTELGRAPH_PROGRAM ?? '../target/debug/intelgraph';
const pictures = process.env.INTELGRAPH_SCREENSHOTS ?? '../target/screenshots';
const axeSource = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const START_MS = 180_000;

/** A node with the demo's data, on an address that stays when it is started again. */
class Node {
  #directory = mkdtempSync(join(tmpdir(), 'explorer-'));
  #process;

  async start() {
    this.port ??= await freePort();
    const args = ['demo', '--json', '--no-browser', '--listen', `127.0.0.1:${this.port}`, '--data-dir', join(this.#directory, 'data')];
    this.#process = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = await Promise.race([
      once(this.#process.stdout, 'data'),
      once(this.#process, 'exit').then(([code]) => { throw new Error(`${program} ended with ${code}`); }),
      new Promise((_, refuse) => setTimeout(refuse, START_MS, new Error('the node was not ready in time')).unref()),
    ]);
    const ready = JSON.parse(String(line));
    this.token = ready.token;
    this.url ??= process.env.INTELGRAPH_UI_DIST ? await front(process.env.INTELGRAPH_UI_DIST, this.port) : ready.url;
  }

  async stop(signal = 'SIGTERM') {
    this.#process.kill(signal);
    await once(this.#process, 'exit');
  }

  async end() {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await this.stop();
    rmSync(this.#directory, { recursive: true });
  }

  /** Runs an operation with a token. */
  async run(id, variables = {}, token = this.token) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(`${this.url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ id, variables }) });
    const document = await response.json();
    assert.ok(!document.errors, JSON.stringify(document.errors));
    return document.data;
  }

  /** Makes a token; gives its text. */
  async newToken(role, clearance, purposes = ['threat-intel', 'demo']) {
    const { tokenCreate } = await this.run('tokenCreate:v1', { role, clearance, purposes });
    return tokenCreate.token;
  }

  /** Imports things, one JSON object each. */
  async import(source, things, classification = 'public') {
    const query = new URLSearchParams({ format: 'jsonl', source, purpose: 'threat-intel', licence: 'MIT-OK', classification });
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'application/x-ndjson' };
    const response = await fetch(`${this.url}/api/v1/import?${query}`, { method: 'POST', headers, body: things.map((thing) => JSON.stringify(thing)).join('\n') });
    const answer = await response.text();
    assert.equal(response.status, 200, answer);
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export const node = new Node();
await node.start();
const args = ['--disable-gpu', '--no-sandbox', '--font-render-hinting=none'];
export const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });
after(async () => {
  await browser.close();
  await node.end();
});

/** A page of somebody who is signed in, at an address below the tenant's. Whatever the browser complains of ends up in `page.complaints`. */
export async function open(path = 'search', { token = node.token, width = 1280, height = 800, scheme = 'light' } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (message) => message.type() === 'error' && page.complaints.push(message.text()));
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  if (token) {
    const answer = await context.request.post(`${node.url}/api/v1/session`, { data: { token } });
    assert.equal(answer.status(), 200, await answer.text());
  }
  await page.goto(`${node.url}/t/default/${path}`);
  return page;
}

/** Waits until nothing on the page is awaited. */
export async function settled(page) {
  await page.waitForLoadState('networkidle').catch(() => {});
  await page.waitForFunction(() => !document.querySelector('[data-state="loading"], [aria-busy="true"]'));
}

/** Serious and critical violations of accessibility on the page, in words. */
export async function violations(page) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message ?? ''}`).slice(0, 3).join(' | ')}`);
}

/** Keeps a picture of the page. */
export async function picture(page, name) {
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`) });
}

/** By how much the page is wider than its window; what scrolls by itself, such as a table, is not counted. */
export async function overflow(page) {
  return page.evaluate(() => Math.max(...['html', '#main'].map((part) => {
    const element = document.querySelector(part);
    return element ? element.scrollWidth - element.clientWidth : 0;
  })));
}
