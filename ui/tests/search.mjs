// Searching: as it is typed, by keyboard alone, and again from its address.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { node, open, picture, settled, violations } from './world.mjs';

const hits = (page) => page.getByRole('region', { name: 'Hits' }).getByRole('listitem').filter({ has: page.getByRole('heading') });

test('three letters bring suggestions, and hits come as they are typed', async () => {
  const page = await open();
  await page.getByRole('combobox', { name: 'Search' }).pressSequentially('mim');
  const options = page.getByRole('option');
  await options.first().waitFor();
  assert.ok((await options.count()) <= 8);
  assert.match(await options.first().innerText(), /^Mim/);
  await page.getByRole('combobox', { name: 'Search' }).pressSequentially('ikatz');
  await hits(page).first().getByRole('link', { name: 'Mimikatz', exact: true }).waitFor();
  assert.match(await page.getByRole('region', { name: 'Hits' }).getByRole('status').first().innerText(), /hits? in [\d.]+ ms/);
  assert.ok((await page.locator('mark').count()) > 0, 'the words are marked');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Mimikatz', level: 1 }).waitFor();
  await page.context().close();
});

test('from the search box to a verified receipt without a mouse', async () => {
  const page = await open();
  await settled(page);
  await page.keyboard.press('/');
  await page.keyboard.type('credential dumping');
  await page.keyboard.press('Enter');
  await hits(page).nth(3).waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  const title = await page.locator('li[aria-current="true"] h2 a').innerText();
  await page.keyboard.press('i');
  await page.getByRole('complementary', { name: 'Inspector' }).getByRole('heading', { name: title }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: title, level: 1 }).waitFor();
  await page.keyboard.press('i');
  const verify = page.getByRole('button', { name: 'Verify in this browser' });
  await verify.waitFor();
  for (let tabs = 0; tabs < 60 && !(await verify.evaluate((button) => button === document.activeElement)); tabs++) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText('Verified in this browser').waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('an address opens the same page again, and Back is the page before', async () => {
  const page = await open('search?q=credential');
  await settled(page);
  const facet = page.getByRole('group', { name: 'Type' }).getByRole('checkbox').nth(1);
  await facet.check();
  await page.waitForURL(/type=/);
  await settled(page);
  const shown = await hits(page).allInnerTexts();
  const again = await open(page.url().split('/t/default/')[1]);
  await settled(again);
  assert.deepEqual(await hits(again).allInnerTexts(), shown);
  await hits(page).first().getByRole('link').first().click();
  await page.getByRole('tablist').waitFor();
  await page.goBack();
  await settled(page);
  assert.deepEqual(await hits(page).allInnerTexts(), shown);
  await page.goBack();
  await page.waitForURL(/q=credential$/);
  await page.context().close();
  await again.context().close();
});

test('words that filter become chips, and are taken out one by one', async () => {
  const page = await open('search?q=type:malware dump -windows');
  const chips = page.getByRole('list', { name: 'Searched for' });
  await chips.getByText('malware').waitFor();
  assert.deepEqual((await chips.getByRole('listitem').allInnerTexts()).slice(0, 3), ['type malware', 'dump', 'not windows']);
  await chips.getByRole('button', { name: 'Take out' }).first().click();
  await page.waitForFunction(() => new URL(location).searchParams.get('q') === 'dump -windows');
  await page.context().close();
});

test('counts are of what is found: what the button promises is there', async () => {
  const page = await open('search?q=dump&type=malware&type=tool&why=1');
  await settled(page);
  const total = Number((await page.getByRole('region', { name: 'Hits' }).getByRole('status').first().innerText()).match(/^[\d,]+/)[0].replace(',', ''));
  const { search } = await node.run('search:v4', { q: 'dump', types: ['malware', 'tool'], form: 'ENTITY', first: 200 });
  assert.equal(total, search.edges.length);
  assert.ok((await page.getByText('of the best, BM25').count()) > 0, 'why is in the address');
  await page.context().close();
});

test('a value is left out, a span of time and a classification are chosen, and each is a chip', async () => {
  const page = await open('search?q=credential');
  await settled(page);
  const total = async () => {
    await settled(page);
    return Number((await page.getByRole('region', { name: 'Hits' }).getByRole('status').first().innerText()).match(/^[\d,]+/)[0].replace(',', ''));
  };
  const all = await total();
  const malware = page.getByRole('checkbox', { name: /malware/ });
  const count = Number((await malware.locator('..').innerText()).match(/[\d,]+$/)[0].replace(',', ''));
  await page.getByRole('button', { name: 'Leave out malware' }).click();
  await page.waitForURL(/notType=malware/);
  assert.equal(await total(), all - count);
  await page.getByText('not type malware').waitFor();
  await page.getByRole('button', { name: 'Leave out malware' }).click();
  await page.waitForURL((url) => !url.search.includes('notType'));
  const chart = page.getByRole('list', { name: 'Hits by when they were observed' });
  const bar = chart.getByRole('button').last();
  const words = await bar.getAttribute('aria-label');
  await bar.click();
  await page.waitForURL(/from=\d{4}-\d\d-\d\d&to=/);
  assert.equal(await total(), Number(words.match(/^[\d,]+/)[0].replace(',', '')), words);
  await page.goto(`${node.url}/t/default/search?q=credential&class=public&why=1`);
  assert.equal(await total(), all, 'all of the demo is public');
  await page.getByText(/^In the text$/).first().waitFor();
  await picture(page, 'search-narrowed');
  assert.deepEqual(await violations(page), []);
  await page.goto(`${node.url}/t/default/search?q=credential%20-type:malware%20class:secret`);
  await page.getByText(/^Nothing is about/).waitFor();
  await page.context().close();
});

test('records that came since are told of, and found when asked for', async () => {
  const page = await open('search?q=latecomer&form=all');
  await page.getByText('Nothing is about “latecomer”').waitFor();
  await node.import('late', [{ id: 'late-1', type: 'host', attributes: { name: 'Latecomer' } }]);
  await page.getByRole('button', { name: /newer records?$/ }).click();
  await page.getByRole('link', { name: 'Latecomer', exact: true }).waitFor();
  await page.context().close();
});

test('nothing found says what would be found otherwise', async () => {
  const page = await open('search?q=credential&from=2091-01-01');
  await page.getByRole('button', { name: /^Without the dates: \d/ }).click();
  await hits(page).first().waitFor();
  await page.context().close();
});

test('what is not understood in an address is left out, and said', async () => {
  const page = await open('search?q=credential&sort=sideways&from=yesterday');
  await page.getByText('Not understood in the address, and left out: from, sort').waitFor();
  await hits(page).first().waitFor();
  await page.context().close();
});

test('keystrokes are answered in time', async () => {
  const page = await open('search?q=c');
  await settled(page);
  const box = page.getByRole('combobox', { name: 'Search' });
  await box.fill('');
  const took = [];
  for (const letter of 'credential dumping from lsass') {
    await page.evaluate(() => performance.clearMarks('ig:search'));
    const began = await page.evaluate(() => performance.now());
    await page.keyboard.press(letter === ' ' ? 'Space' : letter);
    if (letter === ' ') continue;
    const painted = await page.waitForFunction(() => performance.getEntriesByName('ig:search').at(-1)?.startTime).then((mark) => mark.jsonValue());
    took.push(painted - began);
  }
  took.sort((a, b) => a - b);
  console.log(`# keystroke to hits: median ${took[took.length >> 1].toFixed(0)} ms, p95 ${took[Math.floor(took.length * 0.95)].toFixed(0)} ms`);
  assert.ok(took[took.length >> 1] < 300, String(took));
  await page.context().close();
});
