// Every page in both themes, narrow and wide: nothing hinders anybody, nothing complains, nothing is cut off. Each is kept as a picture.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { PAGES } from './addresses.mjs';
import { node, open, overflow, picture, settled, violations } from './world.mjs';

/** Two at a time: waiting for one is time for the other. */
describe('every page', { concurrency: 2 }, () => {
  for (const [name, path] of Object.entries(PAGES)) {
    for (const [width, height] of [[1280, 800], [390, 844]]) {
      for (const scheme of ['light', 'dark']) {
        test(`${name} at ${width}, ${scheme}`, async () => {
          const page = await open(path, { width, height, scheme });
          await settled(page);
          await picture(page, `${name}-${width}-${scheme}`);
          assert.deepEqual(await violations(page), []);
          assert.equal(await overflow(page), 0, 'wider than the window');
          assert.deepEqual(page.complaints, []);
          await page.context().close();
        });
      }
    }
  }
});

for (const name of ['start', 'hits-inspected', 'entity', 'access', 'access-policy', 'sources', 'sources-import', 'evidence', 'evidence-receipt', 'node']) {
  test(`${name} at 2560`, async () => {
    const page = await open(PAGES[name], { width: 2560, height: 1440 });
    await settled(page);
    await picture(page, `${name}-2560-light`);
    assert.equal(await overflow(page), 0);
    await page.context().close();
  });
}

test('at 320 px nothing scrolls sideways', async () => {
  const page = await open(PAGES.hits, { width: 320, height: 640 });
  await settled(page);
  assert.equal(await overflow(page), 0);
  await page.goto(`${node.url}/t/default/${PAGES.entity}`);
  await settled(page);
  assert.equal(await overflow(page), 0);
  await page.context().close();
});

test('the page to sign in', async () => {
  for (const [width, scheme] of [[1280, 'light'], [390, 'dark']]) {
    const page = await open('search', { token: null, width, scheme });
    await page.getByLabel('Token').waitFor();
    await picture(page, `sign-in-${width}-${scheme}`);
    assert.deepEqual(page.complaints, [], 'nothing is wrong with being signed out');
    assert.deepEqual(await violations(page), []);
    assert.equal(await overflow(page), 0);
    await page.context().close();
  }
});

test('the first page is on screen soon, and does not move', async () => {
  const page = await open('search?q=credential', { token: node.token });
  await settled(page);
  const [paint, shift] = await page.evaluate(() => new Promise((done) => {
    new PerformanceObserver((list) => {
      const moved = list.getEntries().filter((entry) => !entry.hadRecentInput).reduce((sum, { value }) => sum + value, 0);
      done([performance.getEntriesByName('first-contentful-paint')[0].startTime, moved]);
    }).observe({ type: 'layout-shift', buffered: true });
    setTimeout(() => done([performance.getEntriesByName('first-contentful-paint')[0].startTime, 0]), 500);
  }));
  console.log(`# first contentful paint, cold: ${paint.toFixed(0)} ms; layout shift ${shift.toFixed(3)}`);
  assert.ok(paint < 2_000, `${paint} ms`);
  assert.ok(shift < 0.05, `${shift}`);
  await page.context().close();
});
