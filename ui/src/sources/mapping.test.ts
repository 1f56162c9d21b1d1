import assert from 'node:assert/strict';
import { test } from 'node:test';

import { columnsOf, typeOf, withRole, withType, withValue } from './mapping.ts';

const MAPPING = `format = 1
type = "host"
header = true

[[column]]
name = "nr"
as = "id"
prefix = "host-"

[[column]]
name = "say \\"cores\\""
as = "attribute"
type = "enumeration"
values = ["1", "2"]
otherwise = "text"

[[column]]
name = 'C:\\path'
as = "ignore"
`;

test('the columns of a mapping are read as the node writes them', () => {
  assert.deepEqual(columnsOf(MAPPING), [
    { name: 'nr', role: 'id', type: 'text', to: '' },
    { name: 'say "cores"', role: 'attribute', type: 'enumeration', to: '' },
    { name: 'C:\\path', role: 'ignore', type: 'text', to: '' },
  ]);
  assert.equal(typeOf(MAPPING), 'host');
});

test('another role leaves behind no line of the former', () => {
  const changed = withRole(MAPPING, 'say "cores"', 'text');
  assert.match(changed, /name = "say \\"cores\\""\nas = "text"\n\n/);
  assert.deepEqual(columnsOf(changed).map(({ role }) => role), ['id', 'text', 'ignore']);
  assert.match(withRole(MAPPING, 'C:\\path', 'relation'), /as = "relation"\n$/);
});

test('another type, and another kind of relation', () => {
  const integer = withValue(MAPPING, 'say "cores"', 'type', 'integer');
  assert.match(integer, /type = "integer"\n\n/);
  assert.doesNotMatch(integer, /values|otherwise/);
  const related = withValue(withRole(MAPPING, 'C:\\path', 'relation'), 'C:\\path', 'to', 'owned-by');
  assert.equal(columnsOf(related)[2]!.to, 'owned-by');
  assert.equal(typeOf(withType(MAPPING, 'server')), 'server');
  assert.equal(columnsOf(withType(MAPPING, '')).length, 3);
});
