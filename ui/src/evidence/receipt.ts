// Checks a receipt here in the browser: from a record, up the tree, to a root that the node has signed.
// The file is a C2SP tlog-proof, the tree RFC 6962's, the checkpoint a C2SP signed note.

import { sha256 } from './sha256.ts';

/** A step of the check: what was done, and whether it holds. `null`: this browser cannot tell. */
export interface Step {
  name: string;
  detail: string;
  holds: boolean | null;
}

export interface Checked {
  steps: Step[];
  /** All of them hold. */
  holds: boolean;
  /** What the record says, if its body was not erased. */
  body: Uint8Array | null;
  /** What its header says of it. */
  header: Header;
}

/** What stays of a record for ever. */
export interface Header {
  lsn: number;
  /** What kind of record it is, in words. */
  kind: string;
  recordedAt: string;
}

const MAGIC = 'c2sp.org/tlog-proof@v1';
const HEADER_BYTES = 40;
const SALT_BYTES = 16;
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

interface Receipt {
  isKept: boolean;
  header: Uint8Array;
  /** Salt and body; or the digest of an erased body. */
  rest: Uint8Array;
  index: number;
  path: Uint8Array[];
  checkpoint: string;
  origin: string;
  size: number;
  root: string;
  signatures: string[];
}

/** Checks a receipt against the key of the ledger, step by step. What is no receipt throws. */
export async function check(text: string, vkey: string): Promise<Checked> {
  const receipt = parse(text);
  const digest = receipt.isKept ? await sha256(receipt.rest) : receipt.rest;
  const leaf = await sha256(LEAF, receipt.header, digest);
  const { root, isWhole } = await climb(receipt, leaf);
  const rootText = base64(root);
  const steps: Step[] = [
    { name: 'Record', detail: `SHA-256 of ${receipt.isKept ? `salt and body, ${receipt.rest.length - SALT_BYTES} bytes` : 'the erased body'}: ${hex(digest)}`, holds: true },
    { name: 'Leaf', detail: `record ${receipt.index + 1} of ${receipt.size}: ${hex(leaf)}`, holds: receipt.index < receipt.size },
    { name: 'Path', detail: `${receipt.path.length} hashes lead to ${rootText}`, holds: isWhole },
    { name: 'Root', detail: `the checkpoint of ${receipt.origin} says ${receipt.root}`, holds: rootText === receipt.root },
    await signed(receipt, vkey),
  ];
  return { steps, holds: steps.every((step) => step.holds === true), body: receipt.isKept ? receipt.rest.subarray(SALT_BYTES) : null, header: headerOf(receipt.header) };
}

/** Kinds of records, by the code in their header. */
const KINDS: Record<number, string> = {
  1: 'A tenant began', 2: 'A label came up', 3: 'The terms of a source', 4: 'A source said something', 5: 'A source took something back', 6: 'A thing was deleted',
  7: 'A thing was restored', 8: 'A token was made', 9: 'A token was revoked', 10: 'An import began', 11: 'An import ended', 12: 'The policy was set',
  13: 'A part of the decision log was closed', 20: 'A link to sign in was made', 21: 'Somebody signed in', 22: 'Somebody signed out', 23: 'Somebody came from outside',
  24: 'Somebody from outside was denied', 25: 'Somebody from outside was let in again', 26: 'A token from outside was denied',
  30: 'A graph was saved', 31: 'A graph was deleted',
};

/** Big-endian: format, kind (2 bytes), its version (2), position (8), microseconds since 1970 (8), and more. */
function headerOf(bytes: Uint8Array): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const kind = view.getUint16(1);
  const ms = Number(view.getBigInt64(13) / 1000n);
  return { lsn: Number(view.getBigUint64(5)), kind: KINDS[kind] ?? `A record of kind ${kind}`, recordedAt: Number.isNaN(new Date(ms).getTime()) ? 'unknown' : new Date(ms).toISOString() };
}

function parse(text: string): Receipt {
  const [head, checkpoint, signatures] = text.split('\n\n');
  const [magic, extra, index, ...path] = head!.split('\n');
  if (magic !== MAGIC || !extra?.startsWith('extra ') || !index?.startsWith('index ') || !checkpoint || !signatures) {
    throw new Error('this is no receipt');
  }
  const bytes = unbase64(extra.slice(6));
  const [origin, size, root] = checkpoint.split('\n');
  return {
    isKept: bytes[0] === 1, header: bytes.subarray(1, 1 + HEADER_BYTES), rest: bytes.subarray(1 + HEADER_BYTES),
    index: Number(index.slice(6)), path: path.map(unbase64), checkpoint: `${checkpoint}\n`,
    origin: origin!, size: Number(size), root: root!, signatures: signatures.trim().split('\n'),
  };
}

/** From a leaf to the root; an uneven level's last node has no sibling and goes up as it is. */
async function climb({ index, size, path }: Receipt, leaf: Uint8Array): Promise<{ root: Uint8Array; isWhole: boolean }> {
  const left = [...path];
  let [node, last, hash] = [index, size - 1, leaf];
  let isWhole = index < size;
  while (last > 0 && isWhole) {
    if (node % 2 === 1 || node < last) {
      const sibling = left.shift();
      isWhole = sibling !== undefined;
      if (sibling) hash = node % 2 === 1 ? await sha256(NODE, sibling, hash) : await sha256(NODE, hash, sibling);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return { root: hash, isWhole: isWhole && left.length === 0 };
}

async function signed({ checkpoint, origin, signatures }: Receipt, vkey: string): Promise<Step> {
  const [name, keyId, key] = splitKey(vkey);
  const step = (holds: boolean | null, detail: string): Step => ({ name: 'Signature', detail, holds });
  if (name !== origin) return step(false, `the checkpoint is of ${origin}, the key of ${name}`);
  const mine = signatures.map((line) => line.split(' ')).find(([, by, signature]) => by === name && hex(unbase64(signature!).subarray(0, 4)) === keyId);
  if (!mine) return step(false, `the key ${keyId} has not signed`);
  if (!globalThis.crypto?.subtle) return step(null, 'browsers check signatures only over TLS or on this machine; `intelgraph ledger verify` does anywhere');
  try {
    const imported = await crypto.subtle.importKey('raw', copy(unbase64(key).subarray(1)), 'Ed25519', false, ['verify']);
    const holds = await crypto.subtle.verify('Ed25519', imported, copy(unbase64(mine[2]!).subarray(4)), new TextEncoder().encode(checkpoint));
    return step(holds, `Ed25519, by ${name} with key ${keyId}`);
  } catch {
    return step(null, 'this browser knows no Ed25519; `intelgraph ledger verify` does');
  }
}

/** `name+id+key`; base64 may hold a plus sign, too. */
function splitKey(vkey: string): [string, string, string] {
  const [name, id, ...key] = vkey.trim().split('+');
  return [name!, id ?? '', key.join('+')];
}

const copy = (bytes: Uint8Array) => new Uint8Array(bytes);
const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));

function unbase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
