// How fast the drawing of graphs is without a GPU: frames a second while somebody moves about, and how long a frame takes to draw.
//
//     node bench/graph.mjs [THINGS..]
//
// It needs Debian's chromium (or CHROMIUM); the page is made of the sources by Vite, on a port of its own.

import { chromium } from 'playwright-core';
import { createServer } from 'vite';

const SIZES = [300, 1_000, 10_000, 50_000];
const FRAMES = 240;
const wanted = process.argv.slice(2).map(Number);

const server = await createServer({ server: { port: 0, host: '127.0.0.1', watch: null }, logLevel: 'error' });
await server.listen();
const { port } = server.httpServer.address();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--disable-gpu', '--disable-software-rasterizer', '--no-sandbox'],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
page.on('pageerror', (error) => console.error(String(error)));
await page.goto(`http://127.0.0.1:${port}/bench/graph.html`);
await page.waitForFunction(() => globalThis.measure);
console.log('things  lines   frames/s  p95 between frames  drawing p50  p95     still frame');
for (const size of wanted.length ? wanted : SIZES) {
  const { frames, between, p50, p95, still, lines } = await page.evaluate(([size, frames]) => globalThis.measure(size, frames), [size, FRAMES]);
  const ms = (value) => `${value.toFixed(1)} ms`;
  console.log([String(size).padStart(6), String(lines).padStart(6), frames.toFixed(1).padStart(8), ms(between).padStart(18), ms(p50).padStart(12), ms(p95).padStart(8), ms(still).padStart(12)].join('  '));
}
await browser.close();
await server.close();
