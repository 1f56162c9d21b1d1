// What a file is, by its name and its first bytes.

export type Format = 'jsonl' | 'stix' | 'csv';

export const FORMATS: { id: Format; word: string; says: string }[] = [
  { id: 'jsonl', word: 'JSONL', says: 'One object a line: an entity, or a relation' },
  { id: 'stix', word: 'STIX 2.1', says: 'A bundle; every object and property is kept' },
  { id: 'csv', word: 'CSV', says: 'A table; each row is a thing, or a relation' },
];

const HEAD_BYTES = 4_096;

/** A guess; compressed files tell by their names alone. */
export async function formatOf(file: File): Promise<Format | null> {
  const name = file.name.toLowerCase().replace(/\.(gz|zst|zstd)$/, '');
  if (/\.(csv|tsv)$/.test(name)) return 'csv';
  if (/\.(jsonl|ndjson)$/.test(name)) return 'jsonl';
  const head = (await file.slice(0, HEAD_BYTES).text()).trimStart();
  if (head.startsWith('{')) return /^\{[^\n]*"(id|relation)"[^\n]*\}\s*\n/.test(head) && !/"type"\s*:\s*"bundle"/.test(head) ? 'jsonl' : 'stix';
  return name.endsWith('.json') ? 'stix' : null;
}
