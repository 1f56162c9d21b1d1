// Tests in a browser: `node tests/browser.mjs [NAME..]`; see world.mjs for what they need.

import { readdirSync } from 'node:fs';

const NO_TESTS = ['addresses.mjs', 'browser.mjs', 'front.mjs', 'unit.mjs', 'world.mjs'];
const wanted = process.argv.slice(2);
const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.mjs') && !NO_TESTS.includes(file));
for (const file of files.sort()) {
  if (wanted.length === 0 || wanted.includes(file.replace('.mjs', ''))) await import(`./${file}`);
}
