// Who comes in, what the policy lets them do, and why it decided so.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { node, open, picture, settled, violations } from './world.mjs';

test('a token is made in four presses, shown once, lets in, and is revoked by its name', async () => {
  const page = await open('access');
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByRole('radio', { name: /^analyst/ }).check();
  await page.getByRole('checkbox', { name: /^threat-intel/ }).check();
  await page.getByText("intelgraph token create --role analyst --clearance public --purpose 'threat-intel' --expires 30d").waitFor();
  await picture(page, 'token-new');
  await page.getByRole('button', { name: 'Make the token' }).click();
  const made = page.getByRole('status', { name: /^Token / });
  const token = await made.getByText(/^ig_tok_/).innerText();
  await picture(page, 'token-made');
  assert.deepEqual(await violations(page), []);
  assert.equal((await node.run('node:v1', {}, token)).node.role, 'analyst');
  const id = token.split('_')[2];
  await made.getByRole('button', { name: 'I have it' }).click();
  assert.equal(await page.getByText(token).count(), 0, 'it is gone');
  await page.getByRole('button', { name: `Revoke ${id}`, exact: true }).click();
  await page.keyboard.type('something else');
  await page.keyboard.press('Enter');
  await page.getByText('That is not its id.').waitFor();
  await page.getByLabel('Type its id').fill(id);
  await picture(page, 'token-revoke');
  await page.keyboard.press('Enter');
  await page.getByRole('row').filter({ hasText: id }).waitFor({ state: 'detached' });
  await assert.rejects(node.run('node:v1', {}, token));
  await page.getByRole('checkbox', { name: /^Show 1 revoked/ }).check();
  await page.getByRole('row').filter({ hasText: id }).getByText(/^revoked/).waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('nobody is offered to make more than they are', async () => {
  const page = await open('access?make=1', { token: await node.newToken('admin', 'internal', ['threat-intel']) });
  await page.getByRole('radio', { name: /^reader/ }).waitFor();
  for (const name of [/^owner/, /^confidential/, /^secret/]) assert.ok(await page.getByRole('radio', { name }).isDisabled(), String(name));
  assert.ok(await page.getByRole('checkbox', { name: /^training/ }).isDisabled());
  assert.ok(await page.getByRole('checkbox', { name: /^threat-intel/ }).isEnabled());
  await page.context().close();
});

test('a link for another browser, and somebody of the identity provider shut out', async () => {
  const page = await open('access');
  await page.getByRole('button', { name: 'Sign-in link' }).click();
  assert.match(await page.getByText(/#code=/).innerText(), /^http/);
  await page.getByLabel('Subject').fill('somebody');
  await page.getByRole('button', { name: 'Deny', exact: true }).click();
  // Without a provider in the settings the node says so.
  await page.getByRole('alert').getByText(/issuer|oidc/i).waitFor();
  await page.context().close();
});

const PERMIT = '\n@id("writers-read")\npermit (principal, action == Action::"entity.read", resource)\nwhen { principal.role == Role::"writer" };\n';

/** Puts a text behind the policy in the editor. */
async function append(page, text) {
  const editor = page.getByRole('textbox', { name: 'Text of the policy' });
  await editor.fill(`${await editor.inputValue()}${text}`);
}

test('what is wrong with a policy is said at its line', async () => {
  const page = await open('access/policy');
  await settled(page);
  await append(page, '\npermit (principal, action, resource) when { principal.colour == "red" };\n');
  await page.keyboard.press('Control+Enter');
  const problem = page.getByRole('alert').getByRole('button').first();
  await problem.waitFor();
  await picture(page, 'policy-wrong');
  assert.deepEqual(await violations(page), []);
  const line = Number((await problem.innerText()).match(/line (\d+)/)[1]);
  await problem.click();
  const at = await page.evaluate(() => { const field = document.activeElement; return field.value.slice(0, field.selectionStart).split('\n').length; });
  assert.equal(at, line);
  assert.equal(await page.getByRole('button', { name: /^Set it/ }).count(), 0);
  await page.context().close();
});

test('a policy is tried out, set over the version that was seen, found in the history, and taken back', async () => {
  await node.newToken('writer', 'secret');
  const page = await open('access/policy');
  await settled(page);
  await append(page, PERMIT);
  await page.getByRole('button', { name: 'Try it out' }).click();
  const trial = page.getByRole('region', { name: 'What would change' });
  await trial.getByText(/newly allowed/).waitFor();
  const [gains, losses] = (await trial.locator('p b').allInnerTexts()).map((text) => Number(text.replaceAll(',', '')));
  assert.ok(gains > 0 && losses === 0, `${gains} ${losses}`);
  assert.equal(await trial.getByText(/^writer, clearance secret/).count(), 1);
  await picture(page, 'policy-tried');
  assert.deepEqual(await violations(page), []);
  await page.getByRole('button', { name: 'Set it, in place of the built-in policy' }).click();
  await page.getByText(/^In force: version/).waitFor();
  const { policy } = await node.run('policy:v1');
  assert.ok(policy.text.includes('writers-read'));
  await page.getByRole('row').filter({ hasText: 'built-in' }).getByRole('link').click();
  await page.getByText('it is not in force').waitFor();
  await page.getByLabel('What is different').getByText('+ @id("writers-read")').waitFor();
  await picture(page, 'policy-former');
  await page.getByRole('button', { name: 'Put it into the editor' }).click();
  await page.getByRole('button', { name: 'Try it out' }).click();
  await trial.getByText(/newly denied/).first().waitFor();
  await page.getByRole('button', { name: /^Set it, in place of version/ }).click();
  await page.getByText(/^In force: version/).waitFor();
  assert.ok(!(await node.run('policy:v1')).policy.text.includes('writers-read'));
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('what locks everybody out is set only by name', async () => {
  const page = await open('access/policy');
  await settled(page);
  await page.getByRole('textbox', { name: 'Text of the policy' }).fill('@id("all")\npermit (principal, action in Action::"read", resource);\n');
  await page.getByRole('button', { name: 'Try it out' }).click();
  const set = page.getByRole('button', { name: /^Set it/ });
  await set.waitFor();
  assert.ok(await set.isDisabled());
  for (const name of ['lock-out', 'cross-tenant', 'above-clearance']) await page.getByRole('checkbox', { name: new RegExp(`^${name}`) }).check();
  assert.ok(await set.isDisabled(), 'the name of the tenant is missing');
  await page.getByLabel(/^A lock-out cannot be taken back/).fill('default');
  assert.ok(await set.isEnabled());
  await picture(page, 'policy-dangers');
  assert.deepEqual(await violations(page), []);
  await page.context().close();
});

test('a version that somebody else set meanwhile is not overwritten unseen', async () => {
  const page = await open('access/policy');
  await settled(page);
  await append(page, PERMIT);
  await page.getByRole('button', { name: 'Try it out' }).click();
  await page.getByRole('button', { name: /^Set it/ }).waitFor();
  const { policy } = await node.run('policy:v1');
  await node.run('policySet:v1', { text: `${policy.text}\n// a word of somebody else\n`, replaces: policy.version });
  await page.getByRole('button', { name: /^Set it/ }).click();
  await page.getByRole('alert').getByText(/^Meanwhile version/).waitFor();
  await page.getByLabel('What is different').getByText('a word of somebody else').waitFor();
  await picture(page, 'policy-conflict');
  await page.getByRole('button', { name: /^I have looked: replace version/ }).click();
  await page.getByRole('button', { name: /^Set it, in place of version/ }).click();
  await page.getByText(/^In force: version/).waitFor();
  const now = (await node.run('policy:v1')).policy;
  assert.ok(now.text.includes('writers-read') && !now.text.includes('somebody else'));
  await node.run('policySet:v1', { text: policy.text, replaces: now.version });
  await page.context().close();
});

test('allowed, forbidden, and permitted by nothing are three things, each with its clause', async () => {
  await node.import('shut', [{ id: 'shut-1', type: 'host', attributes: { name: 'Shut away' } }], 'secret');
  const ids = {};
  for (const [name, role, clearance] of [['greater', 'analyst', 'secret'], ['lesser', 'reader', 'public'], ['writer', 'writer', 'secret']]) ids[name] = (await node.newToken(role, clearance)).split('_')[2];
  for (const [who, says] of [['greater', 'Allowed by readers-read, and nothing forbids it'], ['lesser', /^Forbidden by clearance/], ['writer', /^Nothing permits it here; readers-read would, to others/]]) {
    const page = await open(`access/explain?token=${ids[who]}&thing=shut-1`);
    await page.getByRole('heading', { level: 3, name: says }).waitFor();
    await picture(page, `why-${who}`);
    assert.deepEqual(await violations(page), []);
    await page.context().close();
  }
});

test('a decision is found by who and what, and explained where it stands', async () => {
  const token = await node.newToken('reader', 'public');
  await node.import('shut', [{ id: 'shut-2', type: 'host', attributes: { name: 'Shut' } }], 'secret');
  await node.run('entity:v2', { id: 'shut-2' }, token);
  const response = await fetch(`${node.url}/graphql`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify({ id: 'tokenList:v1', variables: {} }) });
  assert.ok((await response.json()).errors);
  const request = response.headers.get('x-request-id');
  const page = await open('access');
  await page.getByRole('row').filter({ hasText: token.split('_')[2] }).getByRole('link', { name: 'Decisions' }).click();
  await page.getByLabel('Denied only').check();
  await page.getByRole('row').filter({ hasText: 'token.manage' }).getByText('nothing permits it').waitFor();
  await page.getByRole('row').filter({ hasText: 'token.manage' }).getByRole('button').click();
  await page.getByRole('heading', { level: 3, name: /^Nothing permits it/ }).waitFor();
  await picture(page, 'decision-why');
  assert.deepEqual(await violations(page), []);
  const again = await open(page.url().split('/t/default/')[1]);
  await again.getByRole('heading', { level: 3, name: /^Nothing permits it/ }).waitFor();
  await again.context().close();
  await page.goto(`${node.url}/t/default/access/decisions`);
  await page.getByRole('searchbox', { name: 'Request' }).fill(request);
  await page.waitForURL(new RegExp(`request=${request}`));
  await page.getByText('nothing permits it').waitFor();
  assert.equal(await page.getByRole('row').count(), 2, 'the head, and what that request asked');
  await page.context().close();
});

test('an auditor sees decisions and nothing that would change them', async () => {
  const page = await open('access', { token: await node.newToken('auditor', 'secret') });
  await page.waitForURL(/\/access\/decisions/);
  await settled(page);
  assert.equal(await page.getByRole('tab').count(), 0);
  for (const path of ['access/policy', 'access/explain']) {
    await page.goto(`${node.url}/t/default/${path}`);
    await page.getByText('Not here, or not visible to you').waitFor();
  }
  await page.context().close();
});
