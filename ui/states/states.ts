// Answers of the node as they would be in each state that a page can be in: made of true ones, or in place of them.

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Answer = (path: string, init: RequestInit) => Promise<Response>;

const SESSION = '/api/v1/session';
const PROGRESS = '/api/v1/progress';

export const STATES: Record<string, Answer> = {
  loading: (path, init) => (isData(path) ? never(init.signal) : fetch(path, init)),
  empty: (path, init) => changed(path, init, empty),
  partial: (path, init) => changed(path, init, partial),
  withheld: (path, init) => changed(path, init, withheld),
  'not-here': (path, init) => refused(path, init, 404, 'NOT_FOUND', 'no such thing'),
  denied: (path, init) => refused(path, init, 403, 'denied', 'not permitted; ask an admin of the tenant'),
  error: (path, init) => refused(path, init, 500, 'internal', 'reading stopped unexpectedly; see the node’s log'),
  degraded: (path, init) => (path === PROGRESS ? told(path, init, 'rebuilding', 0.4) : fetch(path, init)),
  stale: (path, init) => (path === PROGRESS ? told(path, init, 'lagging', 0.98) : fetch(path, init)),
  stopped: (path, init) => (path === PROGRESS ? Promise.reject(new TypeError('the node is gone')) : fetch(path, init)),
};

/** What is asked for a page, and not for what stands round it. */
function isData(path: string): boolean {
  return path !== SESSION && path !== PROGRESS;
}

function never(signal?: AbortSignal | null): Promise<Response> {
  return new Promise((_, refuse) => signal?.addEventListener('abort', () => refuse(new DOMException('given up', 'AbortError'))));
}

async function refused(path: string, init: RequestInit, status: number, code: string, message: string): Promise<Response> {
  if (!isData(path)) return fetch(path, init);
  const headers = { 'content-type': 'application/json', 'x-request-id': 'of-a-test-000017' };
  const body = path === '/graphql' ? { data: null, errors: [{ message, extensions: { code, status } }] } : { error: { code, message, details: null } };
  return new Response(JSON.stringify(body), { status: path === '/graphql' ? 200 : status, headers });
}

type Change = (value: Json, name: string, path: string, note: (path: string) => void) => Json | undefined;

/** The true answer, with its values changed, outermost first; a change that gives nothing leaves a value and looks into it. */
async function changed(path: string, init: RequestInit, change: Change): Promise<Response> {
  const response = await fetch(path, init);
  if (path !== '/graphql') return response;
  const document = await response.json();
  const elided: string[] = [];
  const data = walk(document.data, '', '', change, (path) => elided.push(path));
  const extensions = { ...document.extensions, elided: [...(document.extensions?.elided ?? []), ...elided] };
  return new Response(JSON.stringify({ ...document, data, extensions }), { status: response.status, headers: response.headers });
}

function walk(value: Json, name: string, path: string, change: Change, note: (path: string) => void): Json {
  const to = change(value, name, path, note);
  if (to !== undefined) return to;
  if (Array.isArray(value)) return value.map((item) => walk(item, name, path, change, note));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner, key, path ? `${path}.${key}` : key, change, note)]));
}

/** What is never empty: the node itself, and who asks. */
const KEPT = ['followers', 'purpose', 'roles'];

const empty: Change = (value, name) => {
  if (Array.isArray(value)) return KEPT.includes(name) ? value : [];
  if (name === 'pageInfo') return { hasNextPage: false, endCursor: null };
  return undefined;
};

const partial: Change = (_, name) => {
  if (name === 'pageInfo') return { hasNextPage: true, endCursor: 'next' };
  if (name === 'complete') return false;
  return undefined;
};

/** What the schema lets be null because a policy may keep it back. */
const WITHHELD = ['receipt', 'entities', 'relations', 'facets', 'usedAt', 'setBy', 'from', 'to', 'other', 'weight', 'since', 'until'];

const withheld: Change = (value, name, path, note) => {
  const isConnection = value !== null && typeof value === 'object' && !Array.isArray(value) && 'edges' in value;
  if (!WITHHELD.includes(name) || isConnection || value === null) return undefined;
  note(path);
  return null;
};

/** The stream, with an index in that state, so far behind the log. */
async function told(path: string, init: RequestInit, state: string, share: number): Promise<Response> {
  const response = await fetch(path, init);
  if (!response.body) return response;
  const behind = new TransformStream<string, string>({
    transform: (text, to) => to.enqueue(text.replaceAll(/^data: (.*)$/gm, (line, data) => {
      const document = JSON.parse(data);
      if (!document.followers) return line;
      const followers = document.followers.map((follower: object) => ({ ...follower, state, lsn: Math.floor(document.lsn * share) }));
      return `data: ${JSON.stringify({ ...document, followers })}`;
    })),
  });
  const body = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(behind).pipeThrough(new TextEncoderStream());
  return new Response(body, { status: response.status, headers: response.headers });
}
