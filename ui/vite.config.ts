import { fileURLToPath } from 'node:url';

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

import { embed } from './build/embed.ts';

/** The node that `npm run dev` shows: its data and its sessions. */
const node = process.env.INTELGRAPH_URL ?? 'http://127.0.0.1:7340';

/** The mode `states` is for tests: every state of every page opens by its address. What is shipped has nothing of it. */
export default defineConfig(({ mode }) => ({
  plugins: mode === 'states' ? [react()] : [react(), embed()],
  resolve: { alias: mode === 'states' ? [{ find: /^.*\/wire\.ts$/, replacement: fileURLToPath(new URL('states/wire.ts', import.meta.url)) }] : [] },
  build: {
    target: 'es2022',
    // What the page's policy lets in is files: nothing is inlined into another.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: Object.fromEntries(['/graphql', '/api', '/healthz', '/readyz', '/metrics'].map((path) => [path, node])),
  },
}));
