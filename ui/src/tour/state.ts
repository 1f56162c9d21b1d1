// Whether the list is open, and which steps were taken: kept in this browser.

import { useSyncExternalStore } from 'react';

export interface State {
  isOpen: boolean;
  done: string[];
}

const KEY = 'intelgraph.tour';
const listeners = new Set<() => void>();
let state: State = read();

function read(): State {
  try {
    return { isOpen: false, done: [], ...JSON.parse(localStorage.getItem(KEY) ?? '{}') };
  } catch {
    return { isOpen: false, done: [] };
  }
}

export function change(to: Partial<State>) {
  state = { ...state, ...to };
  localStorage.setItem(KEY, JSON.stringify(state));
  for (const listener of listeners) listener();
}

export function useTour(): State {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, () => state);
}
