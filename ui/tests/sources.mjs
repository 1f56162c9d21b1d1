// Bringing files in: what would become of them, how far it is, what was refused, and a node that stops in between.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { node, open, overflow, picture, settled, violations } from './world.mjs';

const LINES = [
  ...Array.from({ length: 40 }, (_, n) => JSON.stringify({ id: `gate-${n}`, type: 'host', attributes: { name: `Gatekeeper ${n}`, port: n } })),
  '{"id":"gate-x"}', '{broken', '{"id":"gate-y","type":"host","colour":"red"}',
];
const file = (name, text) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(text) });

test('a file comes in: four things to say, what is refused is listed and can be saved', async () => {
  const page = await open('sources');
  await page.getByRole('link', { name: 'New import' }).click();
  await page.getByLabel('Files').setInputFiles(file('gates.jsonl', LINES.join('\n')));
  await page.getByRole('radio', { name: /^JSONL/ }).and(page.locator(':checked')).waitFor();
  await page.getByLabel('Source').fill('gatekeeper');
  await page.getByRole('checkbox', { name: /^threat-intel/ }).check();
  await page.getByRole('radio', { name: /^MIT-OK/ }).check();
  await page.getByText(/^intelgraph import gates.jsonl --format jsonl --source gatekeeper --purpose threat-intel --licence MIT-OK/).waitFor();
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  const card = page.getByRole('region', { name: 'Import of gates.jsonl' });
  await card.getByText('Durable and searchable').waitFor();
  assert.deepEqual((await card.locator('dd').allInnerTexts()), ['43', '40', '0', '0', '3']);
  await picture(page, 'import-done');
  assert.deepEqual(await violations(page), []);
  const [saved] = await Promise.all([page.waitForEvent('download'), card.getByRole('button', { name: 'Save the 3 rejects' }).click()]);
  const rejects = readFileSync(await saved.path(), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(rejects.map(({ line }) => line), [41, 42, 43]);
  await card.getByRole('link', { name: 'The import' }).click();
  await page.getByRole('heading', { name: '3 rejects' }).waitFor();
  assert.equal(await page.getByRole('row').filter({ hasText: 'gates.jsonl' }).count(), 3);
  await page.getByRole('link', { name: 'gatekeeper' }).click();
  await page.getByRole('link', { name: 'host 40' }).waitFor();
  await page.getByRole('link', { name: 'Import more' }).click();
  await page.getByText('The terms that it has.').waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('what is missing is said at its place, and nothing is sent', async () => {
  const page = await open('sources/-/import');
  let sent = 0;
  page.on('request', (request) => { if (request.url().includes('/api/v1/import?')) sent += 1; });
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  for (const says of ['An import needs a file.', /^Every import is said by a source/, /^Every source needs a purpose/, 'Every source needs a licence.', '4 things are missing above.']) await page.getByText(says).waitFor();
  assert.deepEqual(await violations(page), []);
  assert.equal(sent, 0);
  await page.context().close();
});

test('who would not see what they bring in is told before', async () => {
  const page = await open('sources/-/import', { token: await node.newToken('analyst', 'internal', ['threat-intel']) });
  await page.getByLabel('Classification').selectOption('secret');
  await page.getByText('You will not see it yourself: your clearance is internal.').waitFor();
  await page.getByLabel('Classification').selectOption('internal');
  await page.getByRole('checkbox', { name: /^training/ }).check();
  await page.getByText('You will not see it yourself: you come for threat-intel.').waitFor();
  await page.context().close();
});

test('a refusal of the node is said with its reason, and the file is still there', async () => {
  await node.import('guarded', [{ id: 'guarded-1', type: 'host', attributes: { name: 'guarded' } }], 'secret');
  const page = await open('sources/-/import', { token: await node.newToken('analyst', 'public') });
  await page.getByLabel('Files').setInputFiles(file('mine.jsonl', LINES[0]));
  await page.getByLabel('Source').fill('guarded');
  await page.getByRole('checkbox', { name: /^threat-intel/ }).check();
  await page.getByRole('radio', { name: /^MIT-OK/ }).check();
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByRole('alert').getByText(/^Nothing was written: not permitted/).waitFor();
  await page.context().close();
});

test('a node that stops in between: it is said, and sending again makes it whole', async () => {
  const page = await open('sources/-/import');
  const many = Array.from({ length: 60_000 }, (_, n) => JSON.stringify({ id: `flood-${n}`, type: 'host', attributes: { name: `Flood ${n}`, note: 'x'.repeat(200) } })).join('\n');
  await page.getByLabel('Files').setInputFiles(file('flood.jsonl', many));
  await page.getByLabel('Source').fill('flood');
  await page.getByRole('checkbox', { name: /^threat-intel/ }).check();
  await page.getByRole('radio', { name: /^MIT-OK/ }).check();
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  const card = page.getByRole('region', { name: 'Import of flood.jsonl' });
  await card.getByText(/Leave this page open/).waitFor();
  // What had not begun is not told of.
  while (!JSON.stringify(await node.run('runs:v2')).includes('"flood"')) await new Promise((done) => setTimeout(done, 20));
  // A node that is told to stop would end what it has begun.
  await node.stop('SIGKILL');
  await card.getByText(/^It broke off after/).waitFor({ timeout: 30_000 });
  await picture(page, 'import-broken');
  await node.start();
  await card.getByRole('button', { name: 'Send again' }).click();
  await picture(page, 'import-sending');
  await card.getByText('Durable and searchable').waitFor({ timeout: 120_000 });
  const [read, created, , unchanged, rejected] = (await card.locator('dd').allInnerTexts()).map((text) => Number(text.replaceAll(',', '')));
  assert.equal(created + unchanged, 60_000);
  assert.deepEqual([read, rejected], [60_000, 0]);
  await page.goto(`${node.url}/t/default/sources?tab=imports&find=flood`);
  await page.getByRole('row').filter({ hasText: /interrupted|failed/ }).waitFor();
  await page.context().close();
});

const PARTS = Array.from({ length: 20_000 }, (_, n) => ({ id: `part-${n}`, type: 'host', attributes: { name: `Part ${n}`, note: 'x'.repeat(400) } }));
const number = async (part, name) => Number((await part.locator('dl > div', { hasText: name }).locator('dd').innerText()).replaceAll(',', ''));

test('an import is followed live, by whoever opens its page, and nothing is asked again and again', async () => {
  const page = await open('sources?tab=imports');
  await settled(page);
  const slow = node.importSlowly('followed', PARTS);
  const row = page.getByRole('row').filter({ hasText: 'followed' });
  await row.getByText('running').waitFor();
  await row.locator('[data-name="read"]').filter({ hasText: /[1-9]/ }).waitFor();
  await row.getByRole('link').first().click();
  const going = page.getByRole('region', { name: 'How far it is' });
  await going.getByText(/^Reading followed.jsonl$/).waitFor();
  await going.getByText(/^[\d.]+ MB of [\d.]+ MB$/).waitFor();
  assert.ok((await number(going, 'Read')) > 1_000);
  await picture(page, 'import-going');
  assert.deepEqual(await violations(page), []);
  let asked = 0;
  page.on('request', () => (asked += 1));
  await page.waitForTimeout(2_500);
  assert.equal(asked, 0, 'the stream tells');
  await slow.end();
  await page.getByText('complete').waitFor();
  assert.equal(await number(page.locator('#main'), 'Read'), 20_000);
  await page.context().close();
});

test('the page of an import outlives its node', async () => {
  void node.importSlowly('outlived', PARTS);
  const page = await open('sources?tab=imports');
  await page.getByRole('row').filter({ hasText: 'outlived' }).getByRole('link').first().click();
  const going = page.getByRole('region', { name: 'How far it is' });
  await going.getByText(/^Reading outlived.jsonl$/).waitFor();
  await node.stop('SIGKILL');
  await page.getByText('as it was when the node last answered').waitFor();
  await page.getByText('Reconnecting').waitFor();
  await picture(page, 'import-outlived');
  await node.start();
  await page.getByText('interrupted').waitFor({ timeout: 30_000 });
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByText('not recorded: the node stopped before').waitFor();
  await page.context().close();
});

test('the list is one question for each kind of thing, whatever its length, and is worked by keys', async () => {
  for (let n = 0; n < 10; n++) await node.import(`listed-${n}`, [{ id: `listed-${n}`, type: 'host', attributes: { name: `Listed ${n}` } }]);
  const page = await open('sources');
  // The node tells of the last import within half a second, and then the page asks again.
  await page.waitForTimeout(1_500);
  const asked = [];
  page.on('request', (request) => { if (request.url().endsWith('/graphql')) asked.push(JSON.parse(request.postData()).id); });
  await page.reload();
  await settled(page);
  assert.ok((await page.getByRole('row').count()) > 10);
  assert.equal(asked.filter((id) => ['sources:v1', 'runs:v2', 'search:v4'].includes(id)).length, 3, String(asked));
  await page.getByLabel('Find among the sources').fill('listed-7');
  await page.getByText(/^1 of \d+ sources$/).waitFor();
  await page.waitForURL(/find=listed-7/);
  await page.getByLabel('Find among the sources').blur();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'listed-7' }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await page.getByRole('tab', { name: 'Imports' }).waitFor();
  await page.keyboard.press('n');
  await page.getByRole('heading', { level: 1, name: 'New import' }).waitFor();
  await page.context().close();
});

test('on a phone nothing of it is cut off', async () => {
  for (const path of ['sources', 'sources?tab=imports', 'sources/-/import']) {
    const page = await open(path, { width: 390, height: 844, scheme: 'dark' });
    await settled(page);
    assert.equal(await overflow(page), 0, path);
    assert.deepEqual(await violations(page), [], path);
    await page.context().close();
  }
});

const TABLE = `nr;hostname;cores;owner;zip;notes
1;gate;4;ops-team;01234;Patched in May
2;vault;8;ops-team;00501;
3;lab;two;ops-team;90210;x
4;short;1
`;

test('a table: what each column would become, put right, and taken so', async () => {
  const page = await open('sources/-/import');
  await page.getByLabel('Files').setInputFiles(file('machines.csv', TABLE));
  await page.getByText('4 things').or(page.getByText('3 things')).waitFor();
  await page.getByText(/^1 would be refused$/).waitFor();
  await page.getByText(/the row has 3 cells, there are 6 columns/).waitFor();
  await page.getByLabel('The type of every row').fill('machine');
  await page.getByLabel('cores becomes').selectOption({ label: 'a property' });
  await page.getByLabel('Type of cores').selectOption('integer');
  await page.getByText(/^2 would be refused$/).waitFor();
  await page.getByLabel('owner becomes').selectOption({ label: 'left out' });
  await page.getByLabel('notes becomes').selectOption({ label: 'a property, searched as prose' });
  await settled(page);
  await picture(page, 'import-table');
  assert.deepEqual(await violations(page), []);
  await page.getByText('The mapping as a text').click();
  assert.match(await page.getByLabel('Mapping').inputValue(), /type = "machine"[\s\S]*name = "cores"\nas = "attribute"\ntype = "integer"/);
  await page.getByLabel('Source').fill('machines');
  await page.getByRole('checkbox', { name: /^threat-intel/ }).check();
  await page.getByRole('radio', { name: /^MIT-OK/ }).check();
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByText('Durable and searchable').waitFor();
  const { entity } = await node.run('entity:v2', { id: '1' });
  assert.equal(entity.type, 'machine');
  assert.deepEqual(Object.fromEntries(entity.attributes.map(({ name, value }) => [name, value])), { hostname: 'gate', cores: 4, zip: '01234', notes: 'Patched in May' });
  await page.getByRole('link', { name: 'The import' }).click();
  await page.getByText('declared, SHA-256').waitFor();
  await page.context().close();
});

test('what a source says leaves as a file, and what its licence keeps is said', async () => {
  await node.import('leaving', [{ id: 'leaving-1', type: 'host', attributes: { name: 'Leaving' } }]);
  const page = await open('sources/leaving');
  await page.getByRole('button', { name: 'Export' }).click();
  const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'JSONL' }).click()]);
  assert.equal(saved.suggestedFilename(), 'leaving.jsonl');
  assert.equal(JSON.parse(readFileSync(await saved.path(), 'utf8').trim()).id, 'leaving-1');
  await page.getByText('1 thing saved').waitFor();
  const query = new URLSearchParams({ format: 'jsonl', source: 'staying', purpose: 'threat-intel', licence: 'Restricted-TOS' });
  await fetch(`${node.url}/api/v1/import?${query}`, { method: 'POST', headers: { authorization: `Bearer ${node.token}` }, body: LINES[0] });
  await page.goto(`${node.url}/t/default/sources/staying`);
  await page.getByRole('button', { name: 'Export' }).click();
  await page.getByRole('menuitem', { name: 'JSONL' }).click();
  await page.getByText('0 things saved; 1 thing stay here').waitFor();
  await page.context().close();
});
