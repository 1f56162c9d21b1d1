// `graphql`, the reference implementation, reads the schema and judges every persisted operation by it.
// node contract.mjs SDKS
import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { buildSchema, parse, validate } from 'graphql';

const [sdks] = process.argv.slice(2);
const schema = buildSchema(readFileSync(`${sdks}/schema.graphql`, 'utf8'));
const { operations } = JSON.parse(readFileSync(`${sdks}/operations/manifest.json`, 'utf8'));
for (const { id, document, documentId, kind } of operations) {
  const parsed = parse(document);
  const errors = validate(schema, parsed);
  if (errors.length > 0) throw new Error(`${id}: ${errors.join('; ')}`);
  if (parsed.definitions.length !== 1 || parsed.definitions[0].operation !== kind) throw new Error(`${id}: not one ${kind}`);
  const digest = createHash('sha256').update(document).digest('hex');
  if (documentId !== `sha256:${digest}`) throw new Error(`${id}: ${documentId} is not the digest of its document`);
}
if (operations.length === 0) throw new Error('no operations');
console.log(`${operations.length} operations are valid`);
