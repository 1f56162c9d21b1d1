// Seeing the node as a lesser reader: a narrower token, held in memory alone, goes with every request. A token that is
// shown wins over the cookie, so the node answers exactly as it would answer them.

import { useSyncExternalStore } from 'react';

import { run, showToken } from './run.ts';
import { queries } from './use.ts';

/** Whom the page is seen as. */
export interface Lesser {
  id: string;
  role: string;
  clearance: string;
  purposes: string[];
}

/** The token ends by then if nobody ends it, in milliseconds. */
const LIFE_MS = 3_600_000;

let lesser: Lesser | null = null;
const listeners = new Set<() => void>();

export function useLesser(): Lesser | null {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, () => lesser);
}

/** Makes a reader of public data for some purposes, and shows every page as they see it. */
export async function seeAsReader(purposes: string[]): Promise<void> {
  const expiresAt = new Date(Date.now() + LIFE_MS).toISOString();
  const { data } = await run('tokenCreate:v1', { role: 'reader', clearance: 'public', purposes, expiresAt });
  const { id, token, roles, clearance, purpose } = data.tokenCreate;
  showToken(token);
  await become({ id, role: roles.join(', '), clearance, purposes: purpose });
}

/** Back to who is signed in; the token is revoked. */
export async function seeAsOneself(): Promise<void> {
  const former = lesser;
  showToken(null);
  if (former) await run('tokenRevoke:v1', { id: former.id });
  await become(null);
}

/** Nothing that was shown to the one may stay on a page of the other. */
async function become(next: Lesser | null): Promise<void> {
  lesser = next;
  for (const listener of listeners) listener();
  await queries.invalidateQueries({ queryKey: ['session'] });
  await queries.resetQueries({ predicate: (query) => query.queryKey[0] !== 'session' });
}
