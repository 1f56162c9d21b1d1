// Every page in every state that it can be in, at three widths: nothing is cut off, nothing breaks, nothing hinders anybody. Each is kept as a
// picture. The pages are those of a build for tests, in which a state opens by its address.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { build } from 'vite';

import { PAGES } from './addresses.mjs';
import { front } from './front.mjs';
import { node, open, overflow, picture, settled, violations } from './world.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const outDir = mkdtempSync(join(tmpdir(), 'explorer-states-'));
await build({ root, mode: 'states', logLevel: 'error', build: { outDir, minify: false, reportCompressedSize: false } });
const pages = await front(outDir, node.port);
after(() => rmSync(outDir, { recursive: true }));

/** One of each page; what only shows another part of the same is walked by pages.mjs. */
const WALKED = ['start', 'hits', 'hits-inspected', 'tuning', 'entity', 'entity-relations', 'entity-paths', 'entity-history', 'entity-provenance', 'graphs', 'sources', 'sources-imports', 'sources-one', 'sources-import', 'sources-run', 'access', 'access-make', 'access-policy', 'access-decisions', 'access-explain', 'evidence', 'evidence-receipt', 'node'];
const STATES = ['loading', 'empty', 'partial', 'withheld', 'not-here', 'denied', 'error', 'degraded', 'stale', 'stopped'];
const WIDTHS = [[1280, 800], [768, 1024], [390, 844]];
/** Pages at a time: a processor for each, and one for the node. */
const AT_ONCE = 2;

/** What the browser complains of where answers are refused on purpose. */
const EXPECTED = /^Failed to load resource: the server responded with a status of (403|404|500)/;

async function walk(state, names, problems) {
  const page = await open('search', { address: pages });
  for (const name of names) {
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 800 });
    const address = new URL(`${pages}/t/default/${PAGES[name]}`);
    address.searchParams.set('in-state', state);
    await page.goto(address.href);
    if (state === 'loading') await page.waitForTimeout(400);
    else await settled(page);
    const note = (what) => problems.push(`${name}, ${state}: ${what}`);
    for (const [width, height] of WIDTHS) {
      await page.setViewportSize({ width, height });
      await picture(page, `states/${state}/${name}-${width}`);
      if (await overflow(page)) note(`wider than ${width} px`);
    }
    for (const violation of await violations(page)) note(`at 390 px: ${violation}`);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 1280, height: 800 });
    await picture(page, `states/${state}/${name}-1280-dark`);
    for (const complaint of page.complaints.splice(0)) if (!EXPECTED.test(complaint)) note(complaint);
  }
  await page.context().close();
}

for (const state of STATES) {
  test(`every page, ${state}`, async () => {
    const problems = [];
    await Promise.all(Array.from({ length: AT_ONCE }, (_, part) => walk(state, WALKED.filter((_, index) => index % AT_ONCE === part), problems)));
    assert.deepEqual(problems, []);
  });
}

test('what is shipped knows nothing of states by address', { skip: !existsSync(join(root, 'dist')) && 'there is no dist/' }, () => {
  const shipped = readdirSync(join(root, 'dist/assets')).map((file) => readFileSync(join(root, 'dist/assets', file), 'utf8'));
  assert.ok(shipped.length > 1);
  assert.ok(!shipped.some((text) => text.includes('in-state')));
  assert.ok(readdirSync(join(outDir, 'assets')).some((file) => readFileSync(join(outDir, 'assets', file), 'utf8').includes('in-state')), 'this test can fail');
});
