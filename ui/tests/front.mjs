// Serves the pages of `dist/` in front of a node that does not carry them, so that a page is tried without building the binary anew.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { extname, join } from 'node:path';
import { pipeline } from 'node:stream';

const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const NONCE = 'of-a-test';
const POLICY = `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${NONCE}'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The address of the pages in front of a node at `port`. */
export async function front(dist, port) {
  const server = createServer((asked, answer) => {
    const path = asked.url.split('?')[0];
    if (path.startsWith('/assets/')) {
      answer.writeHead(200, { 'content-type': TYPES[extname(path)] }).end(readFileSync(join(dist, path)));
    } else if (path === '/' || path.startsWith('/t/') || path.startsWith('/-/')) {
      const page = readFileSync(join(dist, 'index.html'), 'utf8').replace('{nonce}', NONCE);
      answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY }).end(page);
    } else {
      const passed = request({ port, host: '127.0.0.1', path: asked.url, method: asked.method, headers: asked.headers }, (from) => {
        answer.writeHead(from.statusCode, from.headers);
        // One that breaks off breaks off here, too.
        pipeline(from, answer, () => {});
      });
      passed.on('error', () => answer.destroy());
      // A stream ends with who reads it.
      answer.on('close', () => passed.destroy());
      asked.pipe(passed);
    }
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}`;
}
