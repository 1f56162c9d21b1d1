import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

import { embed } from './build/embed.ts';

/** The node that `npm run dev` shows: its data and its sessions. */
const node = process.env.INTELGRAPH_URL ?? 'http://127.0.0.1:7340';

export default defineConfig({
  plugins: [react(), embed()],
  build: {
    target: 'es2022',
    // What the page's policy lets in is files: nothing is inlined into another.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: { '/graphql': node, '/api': node, '/healthz': node, '/readyz': node },
  },
});
