// Writes src/gateway/operations.ts: what each persisted operation takes and answers, from the contract in sdks/.
// With --check it writes nothing, and fails if the file is not what it would write.

import { readFileSync, writeFileSync } from 'node:fs';
import {
  buildSchema, getNamedType, getNullableType, isEnumType, isInputObjectType, isListType, isNonNullType, isObjectType, parse, typeFromAST,
} from 'graphql';

const sdks = new URL('../../sdks/', import.meta.url);
const target = new URL('../src/gateway/operations.ts', import.meta.url);
const SCALARS = { ID: 'string', String: 'string', Int: 'number', Float: 'number', Boolean: 'boolean', DateTime: 'string', JSON: 'Json' };

const schema = buildSchema(readFileSync(new URL('schema.graphql', sdks), 'utf8'));
const { operations } = JSON.parse(readFileSync(new URL('operations/manifest.json', sdks), 'utf8'));
const current = operations.filter((operation) => !operation.deprecated.some((text) => text.startsWith(`${operation.id}:`)));

function typed(type, of) {
  const optional = isNonNullType(type) ? '' : ' | null';
  const inner = getNullableType(type);
  const text = isListType(inner) ? list(typed(inner.ofType, of)) : of(getNamedType(inner));
  return text + optional;
}

const list = (text) => (/ \| /.test(text) && !text.startsWith('{') ? `(${text})[]` : `${text}[]`);

function named(type) {
  if (isEnumType(type)) return type.getValues().map((value) => `'${value.name}'`).join(' | ');
  if (!isInputObjectType(type)) return SCALARS[type.name];
  const fields = Object.values(type.getFields()).map((field) => `${field.name}${isNonNullType(field.type) ? '' : '?'}: ${typed(field.type, named)}`);
  return `{ ${fields.join('; ')} }`;
}

function selected(set, type, indent) {
  const lines = set.selections.map((field) => {
    const { type: returns } = type.getFields()[field.name.value];
    const of = (inner) => (isObjectType(inner) ? selected(field.selectionSet, inner, `${indent}  `) : named(inner));
    return `${indent}  ${(field.alias ?? field.name).value}: ${typed(returns, of)};`;
  });
  return `{\n${lines.join('\n')}\n${indent}}`;
}

function variables(definition) {
  const fields = definition.variableDefinitions.map(({ variable, type }) => {
    const wanted = typeFromAST(schema, type);
    return `${variable.name.value}${isNonNullType(wanted) ? '' : '?'}: ${typed(wanted, named)}`;
  });
  return fields.length ? `{ ${fields.join('; ')} }` : 'Record<string, never>';
}

const entries = current.map(({ id, document }) => {
  const definition = parse(document).definitions[0];
  const root = schema.getRootType(definition.operation);
  return `  '${id}': {\n    variables: ${variables(definition)};\n    data: ${selected(definition.selectionSet, root, '    ')};\n  };`;
});
const mutations = current.filter(({ kind }) => kind === 'mutation').map(({ id }) => `'${id}'`);

const text = `// Made by generate/operations.mjs from sdks/; not to be edited.

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

export interface Operations {
${entries.join('\n')}
}

/** Those that change something. */
export const MUTATIONS: ReadonlySet<string> = new Set([${mutations.join(', ')}]);
`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('error: src/gateway/operations.ts is not what sdks/ says; run `npm run generate`');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
