// What the tests in a browser stand on: the real binary with the demo's data, and Debian's chromium.
//
// INTELGRAPH_PROGRAM is the binary, built with the feature `ui`; INTELGRAPH_DEMO_BUNDLE its data; INTELGRAPH_SCREENSHOTS a directory
// where pictures of the pages are kept. With INTELGRAPH_UI_DIST=dist the pages come from there, and the binary need not carry them.
// INTELGRAPH_TEST_MODELS is where models are; without it what needs one is skipped.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';

import { chromium } from 'playwright-core';

import { front } from './front.mjs';

const program = process.env.INTELGRAPH_PROGRAM ?? '../target/debug/intelgraph';
const pictures = process.env.INTELGRAPH_SCREENSHOTS ?? '../target/screenshots';
const axeSource = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const START_MS = 180_000;
/** A node refuses settings that it does not know, and those of these tests are none of its own. */
const ENV = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('INTELGRAPH_') || name === 'INTELGRAPH_DEMO_BUNDLE'));

/** A node, on an address that stays when it is started again; one without a command of its own has the demo's data. */
export class Node {
  #directory = mkdtempSync(join(tmpdir(), 'explorer-'));
  #command;
  #process;

  constructor(command = ['demo', '--no-browser']) {
    this.#command = command;
  }

  async start() {
    this.port ??= await freePort();
    const args = [...this.#command, '--json', '--listen', `127.0.0.1:${this.port}`, '--data-dir', join(this.#directory, 'data')];
    this.#process = spawn(program, args, { env: ENV, stdio: ['ignore', 'pipe', 'ignore'] });
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

  /** Runs a command against it. */
  command(...args) {
    const env = { ...ENV, INTELGRAPH_URL: `http://127.0.0.1:${this.port}`, INTELGRAPH_TOKEN: this.token };
    return JSON.parse(execFileSync(program, [...args, '--json'], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
  }

  /** Writes a file beside its data; gives its path. */
  write(name, text) {
    const path = join(this.#directory, name);
    writeFileSync(path, text);
    return path;
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

  /** Begins an import that goes on until it is told to end; things are of ASCII alone. */
  importSlowly(source, things) {
    return new SlowImport(this.port, this.token, source, things);
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

/** Half of an import's body, and the rest when it is told to. */
class SlowImport {
  #request;
  #left;
  #answered;

  constructor(port, token, source, things) {
    const body = things.map((thing) => JSON.stringify(thing)).join('\n');
    const query = new URLSearchParams({ format: 'jsonl', source, name: `${source}.jsonl`, purpose: 'threat-intel', licence: 'MIT-OK', classification: 'public' });
    const headers = { authorization: `Bearer ${token}`, 'content-length': body.length };
    this.#request = request({ port, host: '127.0.0.1', method: 'POST', path: `/api/v1/import?${query}`, headers });
    // A node that is killed cuts it off; whoever waits for its end is told.
    this.#answered = once(this.#request, 'response').catch(() => null);
    this.#left = body.slice(body.length / 2);
    this.#request.write(body.slice(0, body.length / 2));
  }

  async end() {
    this.#request.end(this.#left);
    await this.#answered;
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
export async function open(path = 'search', { token = node.token, width = 1280, height = 800, scheme = 'light', address = node.url } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.complaints = [];
  count(page);
  page.on('console', (message) => message.type() === 'error' && page.complaints.push(message.text()));
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  if (token) {
    const answer = await context.request.post(`${address}/api/v1/session`, { data: { token } });
    assert.equal(answer.status(), 200, await answer.text());
  }
  await page.goto(`${address}/t/default/${path}`);
  return page;
}

/** A page asks for nothing more when it has asked for nothing for so long, in milliseconds. */
const QUIET_MS = 200;

/** Waits until nothing on the page is awaited, but for the stream of progress, which is open for ever. */
export async function settled(page) {
  for (let quiet = 0; quiet < QUIET_MS; quiet += 50) {
    if (page.awaited.size > 0) quiet = 0;
    await new Promise((done) => setTimeout(done, 50));
  }
  await page.waitForFunction(() => !document.querySelector('[data-state="loading"], [aria-busy="true"]'));
}

/** Keeps count of the requests of a page that are under way. */
function count(page) {
  page.awaited = new Set();
  page.on('request', (request) => !request.url().endsWith('/api/v1/progress') && page.awaited.add(request));
  for (const end of ['requestfinished', 'requestfailed']) page.on(end, (request) => page.awaited.delete(request));
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
  const path = join(pictures, `${name}.png`);
  mkdirSync(dirname(path), { recursive: true });
  await page.screenshot({ path });
}

/** By how much the page is wider than its window; what scrolls by itself, such as a table, is not counted. */
export async function overflow(page) {
  return page.evaluate(() => Math.max(...['html', '#main'].map((part) => {
    const element = document.querySelector(part);
    return element ? element.scrollWidth - element.clientWidth : 0;
  })));
}
