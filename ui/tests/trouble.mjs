// A node that stops and comes back under an open page, a slow network, answers that fail, fields that are null.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { node, open, picture, settled } from './world.mjs';

test('the node stops under an open page: it says so, keeps what it shows, and goes on by itself', async () => {
  const page = await open('search?q=mimikatz');
  await settled(page);
  await node.stop();
  await page.getByText('The node does not answer. What is shown is what it last said').waitFor({ timeout: 20_000 });
  await picture(page, 'node-stopped');
  assert.ok(await page.getByRole('link', { name: 'Mimikatz', exact: true }).first().isVisible(), 'what was shown stays');
  await node.start();
  await page.getByText('The node does not answer. What is shown').waitFor({ state: 'detached', timeout: 30_000 });
  await page.getByRole('combobox', { name: 'Search' }).fill('lateral movement');
  await page.getByRole('region', { name: 'Hits' }).getByRole('heading').first().waitFor();
  await page.context().close();
});

test('on a slow network the page says what it waits for, and typing on asks only for the last', async () => {
  const page = await open('search');
  await settled(page);
  let asked = 0;
  await page.route('**/graphql', async (route) => {
    if (route.request().postData().includes('search:v4')) asked += 1;
    await new Promise((done) => setTimeout(done, 2_500));
    await route.continue().catch(() => {});
  });
  await page.getByRole('combobox', { name: 'Search' }).fill('mimikatz');
  await page.keyboard.press('Enter');
  await page.getByText('Waiting for the index').waitFor();
  await picture(page, 'slow');
  await page.getByRole('link', { name: 'Mimikatz', exact: true }).first().waitFor();
  assert.ok(asked >= 1);
  await page.context().close();
});

test('what fails says what and why, alone, and can be tried again', async () => {
  const page = await open('search');
  await settled(page);
  let broken = true;
  await page.route('**/graphql', async (route) => {
    if (!broken || !route.request().postData().includes('relations:v3')) return route.continue();
    const body = JSON.stringify({ data: null, errors: [{ message: 'the index is on fire', extensions: { code: 'internal' } }] });
    await route.fulfill({ status: 200, contentType: 'application/json', headers: { 'x-request-id': 'r-17' }, body });
  });
  const { search } = await node.run('search:v4', { q: 'mimikatz', first: 1, form: 'ENTITY' });
  await page.goto(`${node.url}/t/default/e/${search.edges[0].node.id}?tab=relations`);
  const alert = page.getByRole('alert');
  await alert.getByText('the index is on fire').waitFor();
  await alert.getByText('r-17').waitFor();
  assert.ok(await page.getByRole('heading', { level: 1, name: 'Mimikatz' }).isVisible(), 'the rest lives on');
  await picture(page, 'failed');
  broken = false;
  await alert.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('row').nth(3).waitFor();
  await page.context().close();
});

test('every field that may be null can be, on every page', async () => {
  const { search } = await node.run('search:v4', { q: 'mimikatz', first: 1, form: 'ENTITY' });
  const id = search.edges[0].node.id;
  const nullable = ['receipt', 'entities', 'relations', 'weight', 'since', 'until', 'other', 'from', 'to', 'facets', 'endCursor', 'usedAt', 'revokedAt', 'replacedAt', 'setAt', 'setBy', 'ended', 'labelId', 'filter'];
  const nulled = (value, key) => {
    if (nullable.includes(key) && !Array.isArray(value) && !(key === 'relations' && value?.edges)) return null;
    if (Array.isArray(value)) return value.map((item) => nulled(item));
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, nulled(inner, name)]));
    return value;
  };
  const page = await open('search');
  await page.route('**/graphql', async (route) => {
    const response = await route.fetch();
    const document = await response.json();
    await route.fulfill({ response, json: { ...document, data: nulled(document.data) } });
  });
  for (const path of ['search?q=dump&form=all&why=1', `search?q=dump&hit=${id}`, `e/${id}`, `e/${id}?tab=relations`, `e/${id}?tab=history`, `e/${id}?tab=provenance`, 'graphs', 'sources', 'sources?tab=imports', 'sources/attack', 'sources/-/imports/5', 'access', 'access/policy', 'access/decisions', 'access/explain', 'evidence', 'evidence/receipts/100', 'node']) {
    await page.goto(`${node.url}/t/default/${path}`);
    await settled(page);
    assert.equal(await page.locator('[data-state="error"]').count(), 0, path);
    assert.deepEqual(page.complaints, [], path);
  }
  await page.context().close();
});
