// Who is signed in. The secret is in a cookie that no script can read.

import { failure, json, send } from './run.ts';

export interface Session {
  tenant: string;
  role: string;
  clearance: string;
  purposes: string[];
  scopes: string[];
  /** What a policy lets this session do, by the names that policies use. */
  actions: string[];
  token: string;
  expires_at: string;
  idle_until: string | null;
}

const PATH = '/api/v1/session';

/** The session of this browser; null if nobody is signed in. */
export async function ask(signal?: AbortSignal): Promise<Session | null> {
  const response = await send(PATH, { signal });
  // Nobody, or nobody any more.
  if (response.status === 204 || response.status === 401) return null;
  const document = await json(response);
  if (!response.ok) throw failure(response, document.error);
  return document as unknown as Session;
}

/** Signs in, with the code of a link or with a token. */
export async function signIn(shows: { code: string } | { token: string }): Promise<Session> {
  const headers = { 'content-type': 'application/json' };
  const response = await send(PATH, { method: 'POST', headers, body: JSON.stringify(shows) });
  const document = await json(response);
  if (!response.ok) throw failure(response, document.error);
  return document as unknown as Session;
}

export async function signOut(): Promise<void> {
  await send(PATH, { method: 'DELETE' });
}

/** The code behind the `#` of the address, taken out of it and of the history before anything else can see it. */
export function takeCode(): string | null {
  const code = new URLSearchParams(location.hash.slice(1)).get('code');
  if (code) history.replaceState(history.state, '', location.pathname + location.search);
  return code;
}
