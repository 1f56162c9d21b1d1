// Two who look at the same node: nothing of what only the one may see is in a page, an answer or an address of the other.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { node, open, settled } from './world.mjs';

const CANARY = 'quetzalcoatl';
const things = [
  { id: `${CANARY}-1`, type: `${CANARY}-kind`, labels: [`${CANARY}-label`], attributes: { name: `${CANARY} vault`, note: `${CANARY} speaks` }, texts: [{ text: `Where ${CANARY} is.` }] },
  { id: `${CANARY}-2`, type: 'host', attributes: { name: `${CANARY} gate` } },
  { relation: `${CANARY}-guards`, from: `${CANARY}-2`, to: `${CANARY}-1` },
];
await node.import('open-world', [{ id: 'open-1', type: 'host', attributes: { name: 'open gate' } }]);
await node.import(`${CANARY}-source`, [...things, { relation: `${CANARY}-near`, from: 'open-1', to: `${CANARY}-1` }], 'secret');

test('the greater sees it, the lesser no trace of it', async () => {
  const pages = [
    'search', `search?q=${CANARY.slice(0, 6)}`, 'search?q=open%20gate&form=all', `search?q=vault&type=host`, 'e/open-1', 'e/open-1?tab=relations', 'e/open-1?tab=history',
    'e/open-1?tab=provenance', `e/open-1?tab=paths&to=${encodeURIComponent('open-1')}`, 'graphs', 'sources', 'sources?tab=imports', 'sources/open-world', 'evidence', 'node',
  ];
  const lesser = await node.newToken('reader', 'public');
  const told = { greater: 0, lesser: 0 };
  for (const [who, token] of [['greater', node.token], ['lesser', lesser]]) {
    const page = await open('search', { token });
    page.on('response', async (response) => {
      const asked = response.request().postData() ?? '';
      const body = await response.text().catch(() => '');
      if (body.includes(CANARY) && !asked.includes(CANARY)) told[who] += 1;
    });
    for (const path of pages) {
      await page.goto(`${node.url}/t/default/${path}`);
      await settled(page);
      const text = await page.evaluate(() => document.documentElement.outerHTML);
      if (text.includes(CANARY)) told[who] += 1;
    }
    const box = page.getByRole('combobox', { name: 'Search' });
    await box.fill('');
    await box.pressSequentially(CANARY.slice(0, 5));
    await page.waitForTimeout(500);
    if ((await page.content()).includes(CANARY)) told[who] += 1;
    await page.context().close();
  }
  assert.ok(told.greater > 8, `the greater was told ${told.greater} times: the test sees what it looks for`);
  assert.equal(told.lesser, 0);
});

test('an address of the greater shows the lesser what an address of nothing does', async () => {
  const lesser = await node.newToken('reader', 'public');
  const texts = [];
  for (const id of [`${CANARY}-1`, 'nothing-1']) {
    for (const tab of ['', '?tab=relations', '?tab=history', '?tab=provenance']) {
      const page = await open(`e/${id}${tab}`, { token: lesser });
      await page.getByText('Not here, or not visible to you').waitFor();
      texts.push([id, await page.locator('#main').innerText(), await page.title()].slice(1).join('\n'));
      await page.context().close();
    }
  }
  assert.equal(new Set(texts).size, 1, JSON.stringify(texts));
});
