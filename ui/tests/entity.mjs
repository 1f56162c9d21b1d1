// One thing: what is said of it, by whom, what it is joined to, and the proof.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { node, open, settled } from './world.mjs';

const idOf = async (words) => (await node.run('search:v4', { q: words, first: 1 })).search.edges[0].node.id;

test('facts carry their source, time and receipt, and the receipt is checked in the browser', async () => {
  const page = await open(`e/${await idOf('mimikatz')}`);
  const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'name', exact: true }) });
  await row.getByText('attack').waitFor();
  await row.getByRole('link', { name: /^Receipt: record/ }).click();
  await page.getByText('Verified in this browser').waitFor();
  const steps = await page.getByRole('tabpanel').getByRole('listitem').allInnerTexts();
  assert.deepEqual(steps.map((step) => step.split('\n')[0]), ['Facts', 'Record', 'Leaf', 'Path', 'Root', 'Signature']);
  await page.context().close();
});

test('a receipt that was changed on its way does not hold', async () => {
  const page = await open(`e/${await idOf('mimikatz')}?tab=provenance`);
  await page.route('**/graphql', async (route) => {
    const response = await route.fetch();
    const text = await response.text();
    await route.fulfill({ response, body: text.replace(/index (\d+)\\n/, (_, index) => `index ${Number(index) ^ 1}\\n`) });
  });
  await page.getByRole('button', { name: 'Verify in this browser' }).click();
  await page.getByText('This receipt does not hold').waitFor();
  await page.context().close();
});

test('relations come by kind and direction, counted, a page at a time', async () => {
  const page = await open(`e/${await idOf('mimikatz')}?tab=relations`);
  const kinds = page.getByRole('navigation', { name: 'Kinds of relations' }).getByRole('link');
  await kinds.nth(1).waitFor();
  const users = kinds.filter({ hasText: 'uses' }).last();
  const total = Number((await users.innerText()).match(/\d+/)[0]);
  await users.click();
  await settled(page);
  const rows = page.getByRole('row').filter({ has: page.getByRole('cell') });
  assert.equal(await rows.count(), Math.min(25, total));
  if (total > 25) {
    await page.getByText(`25 of ${total} relations shown`).waitFor();
    await page.getByRole('button', { name: 'Next 25' }).click();
    await rows.nth(Math.min(50, total) - 1).waitFor();
  }
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => !url.search.includes('tab=relations'));
  await page.context().close();
});

test('history tells what each source changed, and leads to what was known then', async () => {
  const id = 'history-1';
  await node.import('diary', [{ id, type: 'host', attributes: { name: 'gate', ports: [22] } }]);
  await node.import('diary', [{ id, type: 'host', attributes: { name: 'gate', ports: [22, 443], owner: 'ops' } }]);
  const page = await open(`e/${id}?tab=history`);
  await page.getByText('added 1, changed 1').waitFor();
  await page.getByRole('tabpanel').getByRole('listitem').last().getByRole('link').first().click();
  await page.getByText(/As the node knew it on/).waitFor();
  assert.equal(await page.getByRole('rowheader', { name: 'owner' }).count(), 0);
  await page.getByRole('button', { name: /^As of: 2/ }).waitFor();
  await page.context().close();
});

test('sources that differ stand side by side', async () => {
  const id = 'differ-1';
  await node.import('first', [{ id, type: 'host', attributes: { name: 'vault', os: 'linux' } }]);
  await node.import('second', [{ id, type: 'host', attributes: { name: 'vault', os: 'bsd' } }]);
  const page = await open(`e/${id}`);
  const os = page.getByRole('rowheader', { name: /^os/ });
  await os.getByText('2 values').waitFor();
  assert.equal(await os.getAttribute('rowspan'), '2');
  await page.context().close();
});

test('what is not there and what is hidden are the same page', async () => {
  await node.import('hidden', [{ id: 'hidden-1', type: 'host', attributes: { name: 'canary-of-the-vault' } }], 'secret');
  const token = await node.newToken('reader', 'public');
  const pages = [];
  for (const id of ['hidden-1', 'never-1']) {
    const page = await open(`e/${id}`, { token });
    await page.getByText('Not here, or not visible to you').waitFor();
    pages.push((await page.locator('#main').innerText()));
    await page.context().close();
  }
  assert.equal(pages[0], pages[1]);
});
