// The ledger's head, receipts by their number, and receipts that somebody was given.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { node, open, picture, settled, violations } from './world.mjs';

const judge = new URL('../../tests/judges/receipt.py', import.meta.url).pathname;

test('from the number of a record to its checked receipt, and on to the next', async () => {
  const page = await open('evidence');
  await settled(page);
  await page.keyboard.press('f');
  await page.keyboard.type('100');
  await page.keyboard.press('Enter');
  await page.getByText('Verified in this browser').waitFor();
  await page.getByRole('heading', { level: 1, name: 'Record 100' }).waitFor();
  await picture(page, 'receipt');
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press(']');
  await page.getByRole('heading', { level: 1, name: 'Record 101' }).waitFor();
  await page.getByText('Verified in this browser').waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('a saved receipt holds outside, by the command that the page shows, and is checked again here', async () => {
  const page = await open('evidence/receipts/50');
  const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save the receipt' }).click()]);
  const path = join(mkdtempSync(join(tmpdir(), 'receipt-')), saved.suggestedFilename());
  await saved.saveAs(path);
  const command = await page.getByText(/^python3 tests\/judges\/receipt.py record-50/).innerText();
  execFileSync('python3', [judge, path, command.match(/'(.*)'/)[1]]);
  await page.goto(`${node.url}/t/default/evidence`);
  await settled(page);
  await page.locator('input[type=file]').setInputFiles(path);
  await page.getByText('Verified in this browser').waitFor();
  const text = readFileSync(path, 'utf8').replace('index 49', 'index 48');
  await page.locator('input[type=file]').setInputFiles({ name: 'changed.tlog-proof', mimeType: 'text/plain', buffer: Buffer.from(text) });
  await page.getByText('This receipt does not hold').waitFor();
  await page.locator('input[type=file]').setInputFiles({ name: 'letter.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') });
  await page.getByText('That is no receipt').waitFor();
  await page.context().close();
});

test('a number beyond the ledger is refused at its field, and its address is not here', async () => {
  const page = await open('evidence');
  await settled(page);
  await page.getByRole('textbox', { name: 'Record' }).fill('999999999');
  await page.keyboard.press('Enter');
  await page.getByText(/^A number from 1 to \d/).waitFor();
  for (const lsn of ['999999999', '0', 'nothing', '-1']) {
    await page.goto(`${node.url}/t/default/evidence/receipts/${lsn}`);
    await page.getByText('Not here, or not visible to you').waitFor();
  }
  await page.context().close();
});

test('a record that a reader may not see and one that is not there are the same page', async () => {
  await node.import('sealed', [{ id: 'sealed-1', type: 'host', attributes: { name: 'sealed' } }], 'secret');
  const { ledgerCheckpoint } = await node.run('ledgerCheckpoint:v1');
  const token = await node.newToken('reader', 'public');
  const { entity } = await node.run('entity:v2', { id: 'sealed-1' });
  const texts = [];
  for (const lsn of [entity.receipt.lsn, ledgerCheckpoint.size + 1_000_000]) {
    const page = await open(`evidence/receipts/${lsn}`, { token });
    await page.getByText('Not here, or not visible to you').waitFor();
    texts.push((await page.locator('#main').innerText()).replace(lsn.toLocaleString('en'), 'N'));
    await page.context().close();
  }
  assert.equal(texts[0], texts[1]);
});

test('an auditor gets the proof without what the record says', async () => {
  const page = await open('evidence/receipts/100', { token: await node.newToken('auditor', 'secret') });
  await page.getByText('Verified in this browser').waitFor();
  await page.getByText(/^Only its digest/).waitFor();
  await page.context().close();
});

test('a hold is set, keeps what it is on, and is removed', async () => {
  const page = await open('evidence');
  await settled(page);
  await page.getByRole('button', { name: 'Set a hold' }).click();
  await page.getByText('On what? Its id, or the name of a source.').waitFor();
  await page.getByLabel('On', { exact: true }).selectOption('tenant');
  await page.getByLabel('Why').fill('litigation');
  await page.getByRole('button', { name: 'Set a hold' }).click();
  await page.getByText(/^Hold \d+ is set/).waitFor();
  await page.getByRole('rowheader', { name: 'the whole tenant' }).waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole('button', { name: /^Remove hold/ }).click();
  await page.getByText('No hold stands.').waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});
