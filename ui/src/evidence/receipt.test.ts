import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';

import { check } from './receipt.ts';
import { own } from './sha256.ts';

const sha = (...parts: Uint8Array[]) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const NAME = 'node.example/t';

/** A ledger of `size` leaves whose record `index` is proven, as the node writes receipts. */
function receipt(size: number, index: number) {
  const header = Buffer.alloc(40, 7);
  const rest = Buffer.concat([Buffer.alloc(16, 3), Buffer.from('{"name":"Fancy Bear"}')]);
  const leaf = sha(Buffer.of(0), header, sha(rest));
  const leaves = Array.from({ length: size }, (_, n) => (n === index ? leaf : sha(Buffer.of(0), Buffer.from(`leaf ${n}`))));
  const { root, path } = tree(leaves, index);
  const checkpoint = `${NAME}\n${size}\n${root.toString('base64')}\n`;
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.concat([Buffer.of(1), publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)]);
  const id = sha(Buffer.from(`${NAME}\n`), raw).subarray(0, 4);
  const signature = Buffer.concat([id, sign(null, Buffer.from(checkpoint), privateKey)]);
  const text = ['c2sp.org/tlog-proof@v1', `extra ${Buffer.concat([Buffer.of(1), header, rest]).toString('base64')}`, `index ${index}`,
    ...path.map((hash) => hash.toString('base64'))].join('\n') + `\n\n${checkpoint}\n— ${NAME} ${signature.toString('base64')}\n`;
  return { text, vkey: `${NAME}+${id.toString('hex')}+${raw.toString('base64')}`, root };
}

/** RFC 6962, as it defines it: by splitting. */
function tree(leaves: Buffer[], index: number): { root: Buffer; path: Buffer[] } {
  if (leaves.length === 1) return { root: leaves[0]!, path: [] };
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  const [left, right] = [tree(leaves.slice(0, split), index), tree(leaves.slice(split), index - split)];
  const root = sha(Buffer.of(1), left.root, right.root);
  const path = index < 0 || index >= leaves.length ? [] : index < split ? [...left.path, right.root] : [...right.path, left.root];
  return { root, path };
}

test('a receipt of any leaf of any tree holds', async () => {
  for (const size of [1, 2, 3, 5, 8, 13]) {
    for (let index = 0; index < size; index++) {
      const { text, vkey } = receipt(size, index);
      const { holds, steps, body } = await check(text, vkey);
      assert.ok(holds, `${index} of ${size}: ${JSON.stringify(steps)}`);
      assert.equal(new TextDecoder().decode(body!), '{"name":"Fancy Bear"}');
    }
  }
});

test('whatever is changed, it no longer holds', async () => {
  const { text, vkey } = receipt(13, 4);
  const { text: other, vkey: otherKey } = receipt(13, 4);
  const extra = text.match(/extra (\S+)/)![1]!;
  const bytes = Buffer.from(extra, 'base64');
  bytes[60]! ^= 1;
  const lines = text.split('\n');
  const without = [...lines.slice(0, 3), ...lines.slice(4)].join('\n');
  for (const [what, changed, key] of [
    ['the body', text.replace(extra, bytes.toString('base64')), vkey],
    ['the index', text.replace('index 4', 'index 5'), vkey],
    ['the path', without, vkey],
    ['the size', text.replace(`${NAME}\n13`, `${NAME}\n14`), vkey],
    ['the key', text, otherKey],
    ['the signature', text.split('— ')[0] + '— ' + other.split('— ')[1], vkey],
  ] as const) {
    assert.equal((await check(changed, key)).holds, false, what);
  }
  await assert.rejects(check('hello', vkey));
});

test('our own SHA-256 is SHA-256', () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 1000]) {
    const bytes = Buffer.alloc(length, length % 251);
    assert.equal(Buffer.from(own(bytes)).toString('hex'), sha(bytes).toString('hex'), String(length));
  }
});
