// What the binary takes in: every file of the build, compressed, listed in `dist/files.rs`; and what the pages may weigh.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

import type { Plugin, Rollup } from 'vite';

/** Gzip bytes of all that is loaded before the first page is shown. */
const SHELL_BYTES_MAX = 300_000;
/** Gzip bytes that a page adds to it. */
const PAGE_BYTES_MAX = 40_000;
/** Pages that draw. */
const LARGER: Record<string, number> = { graphs: 50_000 };
/** Gzip bytes of all style sheets. */
const CSS_BYTES_MAX = 28_000;

const TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

type Chunk = Rollup.OutputChunk;

export function embed(): Plugin {
  let [root, dist] = ['', ''];
  return {
    name: 'embed',
    apply: 'build',
    enforce: 'post',
    configResolved: (config) => {
      root = config.root;
      dist = join(root, config.build.outDir);
    },
    writeBundle(_, bundle) {
      const strangers = Object.values(bundle).flatMap((output) => (output.type === 'chunk' ? Object.keys(output.modules) : [])).filter((id) => id.startsWith(join(root, 'states')));
      if (strangers.length) throw new Error(`not to be shipped: ${strangers.join(', ')}`);
      const files = Object.keys(bundle).sort();
      const gzip = new Map(files.map((file) => [file, gzipSync(readFileSync(join(dist, file)), { level: 9 })]));
      const size = (file: string) => gzip.get(file)?.length ?? 0;
      const chunks = Object.values(bundle).filter((output): output is Chunk => output.type === 'chunk');
      const report = weigh(chunks, size, files.filter((file) => file.endsWith('.css')));
      const entries = files.map((file) => entry(dist, file, gzip.get(file)!));
      writeFileSync(join(dist, 'files.rs'), `[\n${entries.join('')}]\n`);
      writeFileSync(join(dist, 'sizes.json'), `${JSON.stringify(report, null, 2)}\n`);
    },
  };
}

/** Writes the compressed forms of a file, and the line of the table that names them. */
function entry(dist: string, file: string, gzip: Buffer): string {
  const bytes = readFileSync(join(dist, file));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
  for (const [kind, packed] of [['br', brotliCompressSync(bytes, { params })], ['gz', gzip]] as const) {
    const path = join(dist, 'packed', `${file}.${kind}`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, packed);
  }
  const type = TYPES[file.split('.').pop()!];
  if (!type) throw new Error(`${file}: its content type is not known; add it to TYPES`);
  const etag = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return `    File { path: "/${file}", content_type: "${type}", etag: "\\"${etag}\\"", `
    + `plain: include_bytes!("${file}"), packed: &[("br", include_bytes!("packed/${file}.br")), `
    + `("gzip", include_bytes!("packed/${file}.gz"))] },\n`;
}

/** What each page weighs; too much is an error. */
function weigh(chunks: Chunk[], size: (file: string) => number, css: string[]) {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const closure = (chunk: Chunk, seen = new Set<string>()): Set<string> => {
    if (!seen.has(chunk.fileName)) {
      seen.add(chunk.fileName);
      for (const name of chunk.imports) closure(byName.get(name)!, seen);
    }
    return seen;
  };
  const sum = (files: Iterable<string>) => [...files].reduce((total, file) => total + size(file), 0);
  const entryChunk = chunks.find((chunk) => chunk.isEntry)!;
  const shell = closure(entryChunk);
  const report: Record<string, number> = { shell: sum(shell), css: sum(css) };
  const limits: Record<string, number> = { shell: SHELL_BYTES_MAX, css: CSS_BYTES_MAX };
  for (const page of chunks.filter((chunk) => chunk.isDynamicEntry)) {
    const place = page.facadeModuleId?.match(/src\/([^/]+)\/[^/]+$/)?.[1] ?? page.name;
    const name = `${place}/${page.name}`;
    report[name] = sum([...closure(page)].filter((file) => !shell.has(file)));
    limits[name] = LARGER[place] ?? PAGE_BYTES_MAX;
  }
  const over = Object.keys(report).filter((name) => report[name]! > limits[name]!);
  console.log(Object.entries(report).map(([name, bytes]) => `${name}: ${bytes} of ${limits[name]} bytes gzip`).join('\n'));
  if (over.length) throw new Error(`too large: ${over.join(', ')}`);
  return report;
}
