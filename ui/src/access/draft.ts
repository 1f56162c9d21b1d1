// The policy that is being written: it outlives a look at another page, not the closing of this one.

import { useSyncExternalStore } from 'react';

export interface Draft {
  text: string;
  /** The version that it is to replace: the one that its author saw. */
  replaces: number;
}

let draft: Draft | null = null;
const listeners = new Set<() => void>();

export function useDraft(): Draft | null {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, () => draft);
}

export function write(next: Draft | null) {
  draft = next;
  for (const listener of listeners) listener();
}

addEventListener('beforeunload', (event) => {
  if (draft) event.preventDefault();
});
