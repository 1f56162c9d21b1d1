// Coming in, going out, and what a page shows while nobody is in.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { browser, node, open, settled } from './world.mjs';

test('nobody sees anything before they are signed in, and the address is opened when they are', async () => {
  const page = await open('search?q=mimikatz', { token: null });
  await page.getByLabel('Token').fill(node.token);
  assert.doesNotMatch(await page.content(), /mimikatz"|S0002/i, 'the page knows nothing yet');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: 'Mimikatz', exact: true }).first().waitFor();
  assert.match(page.url(), /\/t\/default\/search\?q=mimikatz$/);
  await page.getByRole('button', { name: /Signed in as owner/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Token').waitFor();
  await page.context().close();
});

test('a link signs in once, and its code is nowhere to be seen afterwards', async () => {
  const { tokenLink } = await node.run('tokenLink:v1');
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(tokenLink.url);
  await page.getByRole('combobox', { name: 'Search' }).waitFor();
  assert.equal(new URL(page.url()).hash, '');
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify([history.state, document.cookie, localStorage, sessionStorage])), /ig_lnk/);
  const other = await (await browser.newContext()).newPage();
  await other.goto(tokenLink.url);
  await other.getByRole('alert').getByText(/./).waitFor();
  await other.context().close();
  await context.close();
});

test('a token that is wrong says so, and nothing is remembered of it', async () => {
  const page = await open('search', { token: null });
  await page.getByLabel('Token').fill('ig_tok_nonsense');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText(/token/i).waitFor();
  assert.equal(await page.getByLabel('Token').inputValue(), '');
  await page.context().close();
});

test('places are there for who may do something there', async () => {
  const reader = await open('search', { token: await node.newToken('reader', 'public') });
  await settled(reader);
  const places = await reader.getByRole('navigation', { name: 'Places' }).first().getByRole('link').allInnerTexts();
  assert.deepEqual(places, ['Search', 'Graphs', 'Sources', 'Evidence', 'Node']);
  const auditor = await open('evidence', { token: await node.newToken('auditor', 'public') });
  await settled(auditor);
  const seen = await auditor.getByRole('navigation', { name: 'Places' }).first().getByRole('link').allInnerTexts();
  assert.ok(!seen.includes('Search') && seen.includes('Evidence') && seen.includes('Access'), String(seen));
  assert.equal(await auditor.getByRole('combobox', { name: 'Search' }).count(), 0);
  await reader.context().close();
  await auditor.context().close();
});

test('a session that ends elsewhere ends the page', async () => {
  const page = await open('search');
  await settled(page);
  await page.context().request.delete(`${node.url}/api/v1/session`, { headers: { 'x-ig-csrf': '1', 'sec-fetch-site': 'same-origin' } });
  await page.getByLabel('Token').waitFor({ timeout: 15_000 });
  assert.equal(await page.getByRole('link', { name: /Mimikatz/ }).count(), 0);
  await page.context().close();
});
