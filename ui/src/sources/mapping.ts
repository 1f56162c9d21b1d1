// The mapping of a table is a text, which the node writes and reads (TOML). Here single lines of it are replaced.

/** What a column can be, in the words of a mapping, with what that means. */
export const ROLES: { id: string; says: string; needs?: 'type' | 'to' }[] = [
  { id: 'id', says: 'the id of the thing' },
  { id: 'type', says: 'its type' },
  { id: 'attribute', says: 'a property', needs: 'type' },
  { id: 'text', says: 'a property, searched as prose' },
  { id: 'relation', says: 'the id of something it is related to', needs: 'to' },
  { id: 'label', says: 'free tags' },
  { id: 'observed_at', says: 'when the source saw it' },
  { id: 'classification', says: 'how far it may travel' },
  { id: 'personal', says: 'whether it is personal data' },
  { id: 'from', says: 'where a relation leaves' },
  { id: 'to', says: 'where a relation leads' },
  { id: 'weight', says: 'the weight of a relation' },
  { id: 'since', says: 'since when it holds' },
  { id: 'until', says: 'until when it holds' },
  { id: 'ignore', says: 'left out' },
];

export const TYPES = ['text', 'integer', 'number', 'boolean', 'time'];

/** Lines of a column that only some roles have. */
const OF_ROLE = ['type', 'values', 'otherwise', 'to', 'prefix', 'separator'];

export interface Column {
  name: string;
  role: string;
  type: string;
  to: string;
}

/** The columns that a mapping declares, in its order. */
export function columnsOf(mapping: string): Column[] {
  return blocks(mapping).slice(1).map((block) => ({ name: valueOf(block, 'name') ?? '', role: valueOf(block, 'as') ?? 'attribute', type: valueOf(block, 'type') ?? 'text', to: valueOf(block, 'to') ?? '' }));
}

/** The type of all things, or the kind of all relations. */
export const typeOf = (mapping: string): string => valueOf(blocks(mapping)[0]!, 'type') ?? '';

/** The same mapping with another type of all things. */
export function withType(mapping: string, type: string): string {
  const [head, ...columns] = blocks(mapping);
  return [withLine(head!, 'type', type || null), ...columns].join('');
}

/** The same mapping in which a column is something else. */
export function withRole(mapping: string, name: string, role: string): string {
  return withColumn(mapping, name, (block) => OF_ROLE.reduce((block, line) => withLine(block, line, null), withLine(block, 'as', role)));
}

/** The same mapping in which a line of a column has another value. */
export function withValue(mapping: string, name: string, line: 'type' | 'to', value: string): string {
  return withColumn(mapping, name, (block) => {
    const typed = line === 'type' ? withLine(withLine(block, 'values', null), 'otherwise', null) : block;
    return withLine(typed, line, value || null);
  });
}

function withColumn(mapping: string, name: string, change: (block: string) => string): string {
  const [head, ...columns] = blocks(mapping);
  return [head, ...columns.map((block) => (valueOf(block, 'name') === name ? change(block) : block))].join('');
}

/** What stands before the first column, then each column with its head. */
function blocks(mapping: string): string[] {
  const parts = mapping.split(/^(?=\[\[column\]\])/m);
  return parts[0]!.startsWith('[[column]]') ? ['', ...parts] : parts;
}

function valueOf(block: string, name: string): string | undefined {
  const written = block.match(new RegExp(`^${name}\\s*=\\s*("(?:[^"\\\\]|\\\\.)*"|'[^']*')`, 'm'))?.[1];
  if (written === undefined) return undefined;
  return written.startsWith("'") ? written.slice(1, -1) : (JSON.parse(written.replace(/\\U([0-9A-Fa-f]{8})/g, (_, code) => String.fromCodePoint(parseInt(code, 16)))) as string);
}

/** Replaces a line, adds it at the end of its block, or takes it out. */
function withLine(block: string, name: string, value: string | null): string {
  const line = new RegExp(`^${name}\\s*=.*\\n?`, 'm');
  if (value === null) return block.replace(line, '');
  const written = `${name} = ${JSON.stringify(value)}\n`;
  return line.test(block) ? block.replace(line, () => written) : `${block.trimEnd()}\n${written}${block.match(/\n\s*$/) ? '\n' : ''}`;
}
