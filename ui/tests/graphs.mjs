// Working graphs and saved ones: what is drawn stays, what is left out is said, and each sees only theirs.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { node, open, picture, settled, violations } from './world.mjs';

const HUB = 'wheel-hub';
const spoke = (n) => `wheel-${String(n).padStart(2, '0')}`;

/** A hub with forty spokes, one of them secret; six lead on to a rim. */
const wheel = () => {
  const host = (id, more) => ({ id, type: 'host', attributes: { name: `Host ${id}` }, ...more });
  const spokes = Array.from({ length: 40 }, (_, n) => spoke(n));
  return [
    host(HUB), ...spokes.map((id, n) => host(id, n === 39 ? { classification: 'secret', attributes: { name: 'canary of the rim' } } : {})),
    ...spokes.map((id, n) => (n % 4 ? { relation: 'feeds', from: HUB, to: id } : { relation: 'reaches', from: id, to: HUB })),
    ...Array.from({ length: 6 }, (_, n) => [host(`rim-${n}`), { relation: 'beside', from: spoke(n), to: `rim-${n}` }]).flat(),
  ];
};
await node.import('wheel', wheel());

/** The rows of the table twin: title and place by title. */
const things = async (page) => {
  await settled(page);
  return page.getByRole('tabpanel').getByRole('rowheader').allInnerTexts();
};
const said = (page, text) => page.getByText(text).first().waitFor();

test('a graph begins with a thing, and a step moves nothing that is there', async () => {
  const page = await open(`graphs/new?seed=${spoke(1)}`);
  await said(page, '2 of 2 neighbours drawn').catch(() => {});
  await page.getByRole('application').waitFor();
  const before = await exported(page);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('e');
  await said(page, '2 things added');
  const after = await exported(page);
  assert.equal(after.things.length, 3);
  for (const thing of before.things) assert.deepEqual(after.things.find(({ id }) => id === thing.id), thing);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('a hub asks which of its neighbours, and says how many are left out', async () => {
  const page = await open(`graphs/new?seed=${HUB}`);
  await page.getByRole('application').waitFor();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('e');
  const dialog = page.getByRole('dialog', { name: /Neighbours of Host wheel-hub/ });
  await dialog.getByText('Add the first 25 of 40').waitFor();
  await picture(page, 'graphs-choose');
  await dialog.getByRole('checkbox', { name: /reaches/ }).check();
  await dialog.getByText('Add the first 10 of 10').click();
  await said(page, '10 things added');
  await page.keyboard.press('e');
  await dialog.getByText('Add the first 25 of 40').click();
  await said(page, '25 of 30 more neighbours of Host wheel-hub shown');
  await page.getByRole('button', { name: 'Next 25' }).click();
  await said(page, '5 things added');
  assert.equal((await exported(page)).things.length, 41);
  await page.context().close();
});

test('one neighbour is found among many, and pulled out', async () => {
  const page = await open(`graphs/new?seed=${HUB}`);
  await page.getByRole('application').waitFor();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('e');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('searchbox').fill('WHEEL-07');
  await dialog.getByRole('listitem').filter({ hasText: 'Host wheel-07' }).getByRole('button', { name: 'Add' }).click();
  await dialog.getByText('drawn').waitFor();
  await page.keyboard.press('Escape');
  assert.deepEqual((await exported(page)).things.map(({ id }) => id).sort(), [spoke(7), HUB]);
  await page.context().close();
});

test('everything is taken back, and done again, exactly', async () => {
  const page = await open(`graphs/new?seed=${spoke(1)},${spoke(2)}`);
  await page.getByRole('application').waitFor();
  const states = [await exported(page)];
  await page.keyboard.press('ArrowRight');
  for (const [key, wait] of [['e', 'added'], ['x', /hidden|alone/], ['h', '1 hidden']]) {
    await page.keyboard.press(key);
    await said(page, wait);
    await settled(page);
    states.push(await exported(page));
  }
  await page.getByRole('button', { name: 'Arrange anew' }).click();
  await said(page, 'Arranged');
  const last = await exported(page);
  const back = [];
  while (await page.getByRole('button', { name: 'Undo (z)' }).isEnabled()) {
    await page.keyboard.press('z');
    back.push(await exported(page));
  }
  assert.deepEqual(back.at(-1), states[0]);
  while (await page.getByRole('button', { name: 'Redo (Z)' }).isEnabled()) await page.keyboard.press('Z');
  assert.deepEqual(await exported(page), last);
  await page.context().close();
});

test('a thing that is dragged stays there, and its graph reopens as it was left, for its maker and for whom it is shared with', async () => {
  const page = await open(`graphs/new?seed=${spoke(1)}`);
  const canvas = page.getByRole('application');
  await canvas.waitFor();
  await page.waitForFunction(() => performance.getEntriesByName('ig:graph:paint').length > 0);
  const box = await canvas.boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const [{ x: beforeX, y: beforeY }] = (await exported(page)).things;
  await page.mouse.move(x, y - 12);
  await page.mouse.down();
  await page.mouse.move(x + 100, y + 60, { steps: 4 });
  await page.mouse.up();
  const moved = (await exported(page)).things[0];
  assert.ok(moved.pinned && moved.x > beforeX && moved.y > beforeY, JSON.stringify(moved));
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByLabel('Name').fill('The spoke');
  await page.getByLabel('Note').fill('dragged to the side');
  await page.getByLabel('Share it').check();
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(/graphs\/[0-9a-f]{32}$/);
  const path = new URL(page.url()).pathname.split('/t/default/')[1];
  await page.reload();
  await page.getByRole('application').waitFor();
  assert.deepEqual((await exported(page)).things[0], moved);
  await page.context().close();

  const reader = await open('graphs', { token: await node.newToken('reader', 'public') });
  await reader.getByRole('link', { name: 'The spoke' }).click();
  await reader.getByRole('application').waitFor();
  assert.deepEqual((await exported(reader)).things[0], moved);
  assert.equal(await reader.getByRole('button', { name: 'Save a copy' }).count(), 1);
  assert.ok(reader.url().endsWith(path));
  await reader.context().close();
});

test('a lesser reader gets no graph that has more on it than they may see, and no count of what is hidden', async () => {
  const nodes = [spoke(38), spoke(39)].map((id, n) => `${id}\t${n * 200}\t0`).join('\n');
  const { graphSave } = await node.run('graphSave:v1', { name: 'Canary of graphs', shared: true, nodes });
  const token = await node.newToken('reader', 'public');
  const page = await open(`graphs/${graphSave.id}`, { token });
  await page.getByText('Not here, or not visible to you').waitFor();
  await page.goto(page.url().replace(graphSave.id, '0'.repeat(32)));
  await page.getByText('Not here, or not visible to you').waitFor();
  await page.goto(page.url().replace(/graphs\/.*/, 'graphs'));
  await settled(page);
  assert.ok(!(await page.locator('#main').innerText()).includes('Canary of graphs'));
  await page.goto(page.url().replace(/graphs$/, `graphs/new?seed=${HUB}&sel=${HUB}`));
  await said(page, '0 of 39 neighbours drawn');
  assert.ok(!(await page.content()).includes('canary of the rim'));
  await page.context().close();
});

test('who leaves a graph and comes back goes on where they were, and nobody else does', async () => {
  const page = await open(`graphs/new?seed=${spoke(1)}`);
  await page.getByRole('application').waitFor();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('e');
  await said(page, '2 things added');
  const left = await exported(page);
  await page.getByRole('complementary', { name: 'Inspector' }).getByRole('link', { name: 'Host wheel-01' }).click();
  await page.getByRole('heading', { name: 'Host wheel-01' }).waitFor();
  await page.goBack();
  await page.getByRole('application').waitFor();
  assert.deepEqual(await exported(page), left);
  await page.keyboard.press('z');
  assert.equal((await exported(page)).things.length, 1);
  await page.keyboard.press('Z');
  await page.getByRole('button', { name: /Signed in as/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Token').fill(node.token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('application').waitFor();
  assert.equal((await exported(page)).things.length, 1, 'begins anew');
  await page.context().close();
});

test('a line leads to every relation, its source, times and receipt', async () => {
  const page = await open(`graphs/new?seed=${HUB},${spoke(1)}&sel=${HUB}`);
  await page.getByRole('button', { name: /What joins them/ }).first().click();
  const inspector = page.getByRole('complementary', { name: 'Inspector' });
  await inspector.getByText('wheel', { exact: true }).waitFor();
  await inspector.getByRole('link', { name: /^Record/ }).waitFor();
  await picture(page, 'graphs-line');
  await page.context().close();
});

test('the table is the same graph: chosen there, chosen here', async () => {
  const page = await open(`graphs/new?seed=${spoke(1)},${spoke(2)},${HUB}&view=table`);
  assert.deepEqual((await things(page)).map((text) => text.trim()), ['Host wheel-hub', 'Host wheel-01', 'Host wheel-02']);
  await page.getByRole('checkbox', { name: 'Choose Host wheel-01' }).check();
  await page.getByRole('checkbox', { name: 'Choose Host wheel-02' }).check();
  await said(page, '2 things chosen');
  await page.keyboard.press('Escape');
  await page.getByRole('checkbox', { name: 'Choose Host wheel-01' }).check();
  await page.keyboard.press('t');
  await page.getByRole('application').waitFor();
  await page.getByRole('complementary', { name: 'Inspector' }).getByText('Host wheel-01').first().waitFor();
  await page.getByRole('button', { name: 'Hide (h)' }).click();
  assert.equal((await exported(page)).things.length, 2);
  await page.context().close();
});

test('keys alone: from thing to thing, to its neighbours, a path, and back', async () => {
  const page = await open(`graphs/new?seed=rim-0,rim-1`);
  await page.getByRole('application').waitFor();
  for (let presses = 0; presses < 30; presses += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement?.getAttribute('role') === 'application')) break;
  }
  await page.keyboard.press('ArrowRight');
  for (const way of ['Down', 'Up', 'Right', 'Left']) await page.keyboard.press(`Shift+Arrow${way}`);
  await said(page, '2 things chosen');
  await page.keyboard.press('p');
  await said(page, '3 things added');
  const { things: found } = await exported(page);
  assert.deepEqual(found.map(({ id }) => id).sort(), ['rim-0', 'rim-1', spoke(0), spoke(1), HUB].sort());
  await page.getByRole('application').focus();
  await page.keyboard.press('Tab');
  assert.ok(await page.evaluate(() => document.activeElement?.getAttribute('role') !== 'application'), 'nobody is trapped');
  await page.context().close();
});

test('the past is looked at, and not changed', async () => {
  const page = await open(`graphs/new?seed=${HUB}&asOf=2000-01-01T00:00:00Z`);
  await said(page, 'to be looked at, not changed');
  await page.getByRole('button', { name: 'Expand (e)' }).waitFor();
  assert.ok(await page.getByRole('button', { name: 'Expand (e)' }).isDisabled());
  await page.context().close();
});

test('a hundred neighbours come onto a graph of two thousand things within a second', async () => {
  const many = Array.from({ length: 2_100 }, (_, n) => ({ id: `many-${n}`, type: 'host', attributes: { name: `Many ${n}` } }));
  await node.import('many', [...many, ...many.slice(1).map(({ id }, n) => ({ relation: 'feeds', from: n < 150 ? 'many-0' : `many-${Math.floor(n / 10)}`, to: id }))]);
  const nodes = many.slice(100).map(({ id }, n) => `${id}\t${(n % 45) * 128}\t${Math.floor(n / 45) * 88 + 2_000}`).concat('many-0\t0\t0').join('\n');
  const { graphSave } = await node.run('graphSave:v1', { name: 'Many', nodes });
  const page = await open(`graphs/${graphSave.id}?sel=many-0`);
  await page.getByRole('application').waitFor();
  await page.keyboard.press('e');
  await page.getByRole('button', { name: /Expand \(e\)/ }).waitFor();
  const dialog = page.getByRole('dialog');
  if (await dialog.count()) {
    await dialog.getByLabel('How many').selectOption('100');
    await dialog.getByRole('button', { name: /Add the first/ }).click();
  }
  await said(page, '99 things added');
  const [took] = await page.evaluate(() => performance.getEntriesByName('ig:graph:expand').map(({ duration }) => duration));
  await page.getByRole('button', { name: 'Fit all in (f)' }).click();
  await page.waitForTimeout(600);
  await picture(page, 'graphs-many');
  await page.getByRole('button', { name: 'Group ends by type' }).first().click();
  await page.getByRole('button', { name: 'Fit all in (f)' }).click();
  await page.waitForTimeout(600);
  await picture(page, 'graphs-groups');
  console.log(`expanding 99 neighbours on a graph of 2,001 things: ${took.toFixed(0)} ms`);
  assert.ok(took < 1_000, `${took} ms`);
  await page.context().close();
});

for (const [width, height] of [[390, 844], [1280, 800], [2560, 1440]]) {
  for (const scheme of ['light', 'dark']) {
    test(`nothing is in the way of anybody: ${width} px, ${scheme}`, async () => {
      const mimikatz = (await node.run('search:v4', { q: 'mimikatz', first: 1 })).search.edges[0].node.id;
      const page = await open(`graphs/new?seed=${mimikatz}&sel=${mimikatz}`, { width, height, scheme });
      await page.getByRole('button', { name: /^Expand…|^Expand \d/ }).first().click();
      const dialog = page.getByRole('dialog');
      if (await dialog.count()) await dialog.getByRole('button', { name: /Add the first/ }).click();
      await said(page, /things added/);
      await settled(page);
      for (const view of ['graph', 'table']) {
        const now = await page.getByRole('application').count() ? 'graph' : 'table';
        if (now !== view) await page.getByRole('button', { name: view === 'graph' ? 'Graph' : 'Table', exact: true }).click();
        if (view === 'graph') await page.getByRole('button', { name: 'Fit all in (f)' }).click();
        await page.waitForTimeout(400);
        await picture(page, `graphs-${view}-${width}-${scheme}`);
        assert.deepEqual(await violations(page), [], `${view} ${width} ${scheme}`);
      }
      assert.deepEqual(page.complaints, []);
      await page.context().close();
    });
  }
}

/** The graph as its own export says it is. */
async function exported(page) {
  await settled(page);
  await page.getByRole('button', { name: 'Export' }).click();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'Data (JSON)' }).click()]);
  const parts = [];
  for await (const part of await file.createReadStream()) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}
