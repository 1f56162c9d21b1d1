// How the node is: live, with what each number means, and in red what needs somebody.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { node, open, picture, settled, violations } from './world.mjs';

const gauge = (page, name) => page.locator('dl > div').filter({ has: page.getByText(name, { exact: true }) }).locator('dd').first();

test('position, room and load are shown, and go on while one looks', async () => {
  const page = await open('node');
  await settled(page);
  assert.equal(await gauge(page, 'Store').innerText(), 'Ready');
  assert.match(await gauge(page, 'Disk free').innerText(), /^[\d.,]+ [GTM]B$/);
  const before = Number((await gauge(page, 'Log').innerText()).replaceAll(',', ''));
  await node.import('growing', [{ id: 'growing-1', type: 'host', attributes: { name: 'growing' } }]);
  await page.waitForFunction((before) => [...document.querySelectorAll('dl > div')].some((one) => one.innerText.startsWith('Log') && Number(one.innerText.split('\n')[1].replaceAll(',', '')) > before), before, { timeout: 15_000 });
  await page.getByRole('img', { name: /^Requests/ }).waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('little room, none, hits that a policy had to refuse, decisions that were lost: each is said', async () => {
  const page = await open('search');
  await settled(page);
  let metrics = {};
  await page.route('**/metrics', async (route) => {
    const response = await route.fetch();
    const text = Object.entries(metrics).reduce((text, [name, value]) => text.replace(new RegExp(`^${name} .*$`, 'm'), `${name} ${value}`), await response.text());
    await route.fulfill({ response, body: text });
  });
  for (const [changed, says] of [
    [{ intelgraph_disk_free_bytes: 1e9 }, 'Disk runs out: 1 GB are free'],
    [{ intelgraph_disk_free_bytes: 1e6 }, 'Writes are refused: 1 MB of disk are free'],
    [{ intelgraph_denied_after_filter_total: 2 }, '2 hits were found by an index and then refused'],
    [{ intelgraph_decisions_dropped_total: 7 }, '7 decisions are missing'],
  ]) {
    metrics = changed;
    await page.goto(`${node.url}/t/default/node`);
    await page.getByText(says).waitFor();
  }
  metrics = { intelgraph_disk_free_bytes: 1e6 };
  await page.goto(`${node.url}/t/default/node`);
  await page.getByText('Writes are refused').waitFor();
  await picture(page, 'node-full');
  assert.deepEqual(await violations(page), []);
  await page.context().close();
});

test('metrics that cannot be read leave the rest of the page', async () => {
  const page = await open('search');
  await settled(page);
  await page.route('**/metrics', (route) => route.fulfill({ status: 403, body: '' }));
  await page.goto(`${node.url}/t/default/node`);
  await page.getByText('metrics could not be read').waitFor();
  await page.getByRole('row').filter({ hasText: 'text' }).first().waitFor();
  await page.context().close();
});
