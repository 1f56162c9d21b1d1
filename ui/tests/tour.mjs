// The guided five minutes, from the first page to the view of a lesser reader and back.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { node, open, picture, settled, violations } from './world.mjs';

test('three searches, an entity, a path, a receipt, and what a lesser reader sees', async () => {
  const page = await open('search');
  await page.getByRole('button', { name: 'Begin' }).click();
  const tour = page.getByRole('complementary', { name: 'Five minutes' });
  const next = async (seen) => {
    await tour.getByRole('button', { name: /^Next/ }).click();
    await seen.first().waitFor();
    await settled(page);
  };
  const hits = page.getByRole('region', { name: 'Hits' });
  await next(hits.getByRole('link', { name: 'OS Credential Dumping' }));
  await picture(page, 'tour-search');
  await next(page.getByRole('list', { name: 'Searched for' }).getByText('malware'));
  await next(hits.getByRole('heading'));
  await next(page.getByRole('heading', { level: 1, name: 'Mimikatz' }));
  await next(page.getByText(/shortest paths?, 2 hops/));
  await picture(page, 'tour-path');
  await next(page.getByRole('button', { name: 'Verify in this browser' }));
  await page.getByRole('button', { name: 'Verify in this browser' }).click();
  await page.getByText('Verified in this browser').waitFor();
  await next(page.getByText('Not here, or not visible to you'));
  await page.getByText('You see what a reader sees').waitFor();
  assert.deepEqual(await violations(page), []);
  await picture(page, 'tour-lesser');
  assert.equal(await page.getByText('Mimikatz').filter({ visible: true }).count(), await tour.getByText('Mimikatz').count(), 'nothing of it but the list of steps');
  await page.getByRole('button', { name: 'Back to yourself' }).click();
  await page.getByRole('heading', { level: 1, name: 'Mimikatz' }).waitFor();
  await tour.getByText('That was it.').waitFor();
  const { tokens } = await node.run('tokenList:v1', { first: 100 });
  const lesser = tokens.edges.map((edge) => edge.node).filter(({ roles, purpose }) => roles.includes('reader') && purpose.join() === 'fraud-risk');
  assert.ok(lesser.length > 0 && lesser.every(({ revokedAt }) => revokedAt), 'the token is revoked');
  await page.context().close();
});
