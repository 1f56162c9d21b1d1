// What stands in the search box while somebody types: the page searches for it at once, the address follows when they pause.

import { useSyncExternalStore } from 'react';

let draft: string | null = null;
const listeners = new Set<() => void>();

/** The words being typed; null if nobody is typing, and the address says what is searched for. */
export function useDraft(): string | null {
  return useSyncExternalStore(subscribe, () => draft);
}

export function setDraft(text: string | null) {
  draft = text;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
