// By keyboard alone: going everywhere, opening and closing what opens, and never losing the way.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { node, open, picture, settled, violations } from './world.mjs';

test('two keys lead to each place, and none is taken while somebody types', async () => {
  const page = await open('search');
  await settled(page);
  for (const [letter, place] of [['n', 'node'], ['o', 'sources'], ['a', 'access'], ['v', 'evidence'], ['g', 'graphs'], ['s', 'search']]) {
    await page.keyboard.press('g');
    await page.keyboard.press(letter);
    await page.waitForURL(`**/t/default/${place}`);
  }
  await page.keyboard.press('/');
  await page.keyboard.type('gn?');
  assert.equal(await page.getByRole('combobox', { name: 'Search' }).inputValue(), 'gn?');
  assert.match(page.url(), /search/);
  await page.context().close();
});

test('what opens is closed by Escape, and focus is where it was', async () => {
  const page = await open('search?q=mimikatz');
  await settled(page);
  await page.keyboard.press('?');
  const keys = page.getByRole('dialog', { name: 'Keys' });
  await keys.getByText('Why these hits').waitFor();
  assert.deepEqual(await violations(page), []);
  await picture(page, 'keys');
  await page.keyboard.press('Escape');
  await keys.waitFor({ state: 'detached' });
  const account = page.getByRole('button', { name: /Signed in as/ });
  await account.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Signed in' }).waitFor();
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.ok(await account.evaluate((button) => button === document.activeElement), 'focus is back');
  await page.keyboard.press('/');
  await page.keyboard.type(' ls');
  assert.deepEqual(await violations(page), []);
  await page.context().close();
});

test('single keys can be switched off', async () => {
  const page = await open('search?q=mimikatz');
  await settled(page);
  await page.keyboard.press('?');
  await page.getByRole('checkbox', { name: 'Single keys are off in this browser' }).check();
  await page.keyboard.press('Escape');
  await page.keyboard.press('i');
  await page.waitForTimeout(300);
  assert.equal(await page.getByRole('complementary', { name: 'Inspector' }).count(), 0);
  await page.keyboard.press('Control+k');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('role')), 'combobox');
  await page.context().close();
});

test('the Tab key goes through a page and out of it, and is seen wherever it is', async () => {
  const page = await open('search?q=mimikatz');
  await settled(page);
  const seen = new Set();
  let before;
  for (let press = 0; press < 120; press++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return null;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      element.dataset.tab ??= String(Math.random());
      return { tab: element.dataset.tab, seen: outlineStyle !== 'none' && outlineWidth !== '0px', html: element.outerHTML.slice(0, 120) };
    });
    // A date has several stops within itself.
    if (at?.tab === before && at) continue;
    if (at === null || seen.has(at.tab)) break;
    before = at.tab;
    assert.ok(at.seen, `focus is not to be seen: ${at.html}`);
    seen.add(at.tab);
  }
  assert.ok(seen.size > 20 && seen.size < 119, `${seen.size} stops`);
  await page.context().close();
});

test('on a phone the other places are behind More', async () => {
  const page = await open('search', { width: 390, height: 844 });
  await settled(page);
  await page.getByRole('button', { name: 'More places' }).click();
  assert.deepEqual(await violations(page), []);
  await page.getByRole('menuitem', { name: 'Node' }).click();
  await page.waitForURL('**/t/default/node');
  await page.getByRole('button', { name: /^As of/ }).waitFor({ state: 'detached' });
  await page.context().close();
});

test('the past is a press away, and back', async () => {
  const { suggest } = await node.run('suggest:v1', { prefix: 'APT29', limit: 1 });
  const page = await open(`e/${suggest[0].id}`);
  await page.getByRole('heading', { level: 1, name: 'APT29' }).waitFor();
  await page.keyboard.press('b');
  await page.getByLabel('Show what the node knew at (UTC)').fill('2020-01-01T00:00');
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press('Enter');
  await page.getByText('Not here, or not visible to you').waitFor();
  assert.match(page.url(), /asOf=2020-01-01T00%3A00%3A00.000Z/);
  await page.goBack();
  await page.getByRole('heading', { level: 1, name: 'APT29' }).waitFor();
  await page.context().close();
});
