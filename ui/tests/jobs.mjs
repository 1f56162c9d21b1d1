// A job for each place, done by mouse from the first page: so many presses and no more. What is typed is not counted, and neither are files that are
// chosen in the browser's own window. The table in README.md says the same numbers.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { node, open, settled } from './world.mjs';

const place = (page, word) => page.getByRole('navigation', { name: 'Places' }).first().getByRole('link', { name: word }).click();

const JOBS = [
  ['Search', 'What was seen of malware that dumps credentials, but for one type; and open the best', 3, async (page) => {
    await page.getByRole('combobox', { name: 'Search' }).fill('credential dumping');
    await page.keyboard.press('Enter');
    await settled(page);
    await page.getByRole('button', { name: 'Leave out attack-pattern' }).click();
    await page.getByRole('checkbox', { name: /^malware/ }).check();
    await page.waitForURL(/type=malware/);
    await settled(page);
    await page.getByRole('region', { name: 'Hits' }).getByRole('heading').getByRole('link').first().click();
    await page.getByRole('tablist').waitFor();
  }],
  ['Entity', 'Who says that, and is it so recorded: the receipt of a fact, checked in the browser', 2, async (page) => {
    await page.getByRole('combobox', { name: 'Search' }).fill('mimikatz');
    await page.getByRole('option').filter({ hasText: 'Mimikatz' }).first().click();
    await page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'name', exact: true }) }).getByRole('link', { name: /^Receipt: record/ }).click();
    await page.getByText('Verified in this browser').waitFor();
  }],
  ['Graphs', 'A graph of a thing and its neighbours, saved', 5, async (page) => {
    await page.getByRole('combobox', { name: 'Search' }).fill('mimikatz');
    await page.getByRole('option').filter({ hasText: 'Mimikatz' }).first().click();
    await page.getByRole('button', { name: 'Graph', exact: true }).click();
    await page.getByRole('application').waitFor();
    await page.waitForFunction(() => performance.getEntriesByName('ig:graph:paint').length > 0);
    const box = await page.getByRole('application').boundingBox();
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2 - 12);
    await page.getByRole('button', { name: /^Save/ }).first().click();
    await page.getByLabel('Name').fill('Of a job');
    await page.getByRole('button', { name: 'Save', exact: true }).last().click();
    await page.waitForURL(/graphs\/(?!new)/);
  }],
  ['Sources', 'A file of one’s own in, from a new source, until it can be searched', 5, async (page) => {
    await place(page, 'Sources');
    await page.getByRole('link', { name: 'New import' }).click();
    await page.getByLabel('Files').setInputFiles({ name: 'job.jsonl', mimeType: 'application/octet-stream', buffer: Buffer.from('{"id":"job-1","type":"host"}') });
    await page.getByLabel('Source').fill('of-a-job');
    await page.getByRole('checkbox', { name: /^threat-intel/ }).check();
    await page.getByRole('radio', { name: /^MIT-OK/ }).check();
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await page.getByText('Durable and searchable').waitFor();
  }],
  ['Access', 'A token for a colleague who reads threat intelligence', 4, async (page) => {
    await place(page, 'Access');
    await page.getByRole('button', { name: 'New token' }).click();
    await page.getByRole('checkbox', { name: /^threat-intel/ }).check();
    await page.getByRole('button', { name: 'Make the token' }).click();
    await page.getByText(/^ig_tok_/).waitFor();
  }],
  ['Evidence', 'The record of a number, checked', 2, async (page) => {
    await place(page, 'Evidence');
    await page.getByRole('textbox', { name: 'Record' }).fill('100');
    await page.getByRole('button', { name: 'Check its receipt' }).click();
    await page.getByText('Verified in this browser').waitFor();
  }],
  ['Node', 'Is anything wrong, and what to do', 1, async (page) => {
    await place(page, 'Node');
    await page.getByRole('row').filter({ hasText: 'disk' }).first().waitFor();
  }],
];

for (const [name, job, most, work] of JOBS) {
  test(`${name}: ${job}`, async () => {
    const page = await open('search');
    await settled(page);
    // A press of a label is one of its box as well, and pages change on the way: so presses are counted, and kept aside.
    await page.evaluate(() => addEventListener('pointerdown', () => sessionStorage.setItem('presses', Number(sessionStorage.getItem('presses') ?? 0) + 1), true));
    const began = Date.now();
    await work(page);
    const presses = Number(await page.evaluate(() => sessionStorage.getItem('presses') ?? 0));
    console.log(`# ${name}: ${presses} presses, ${((Date.now() - began) / 1000).toFixed(1)} s`);
    assert.ok(presses <= most, `${presses} presses, at most ${most}`);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });
}

test('the table of jobs says the same', () => {
  const table = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  for (const [name, job, most] of JOBS) assert.ok(table.includes(`| ${name} | ${job} | ${most} |`), `| ${name} | ${job} | ${most} |`);
});
