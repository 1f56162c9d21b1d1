// Runs every src/**/*.test.ts with Node's own test runner; Vite reads the TypeScript: `node --test tests/unit.mjs`

import { readdirSync } from 'node:fs';

import { createServer } from 'vite';

const server = await createServer({ server: { middlewareMode: true, watch: null, ws: false }, appType: 'custom', logLevel: 'error' });
const tests = readdirSync('src', { recursive: true }).filter((file) => /\.test\.tsx?$/.test(file));
for (const file of tests.sort()) await server.ssrLoadModule(`/src/${file}`);
await server.close();
