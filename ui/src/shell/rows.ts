import { useRef, useState } from 'react';

import { useKeys } from './keys.ts';

/** The rows of a table by keys: which one is chosen, and what opening it does. */
export function useRows(length: number, open: (at: number) => void) {
  const [at, setAt] = useState(-1);
  const body = useRef<HTMLTableSectionElement>(null);
  const move = (step: number) => {
    const to = Math.max(0, Math.min(length - 1, at + step));
    setAt(to);
    body.current?.rows[to]?.scrollIntoView({ block: 'nearest' });
  };
  useKeys('Rows', [
    { key: 'j', does: 'Next row', run: () => move(1) },
    { key: 'k', does: 'Row before', run: () => move(-1) },
    { key: 'ArrowDown', does: 'Next row', run: () => move(1) },
    { key: 'ArrowUp', does: 'Row before', run: () => move(-1) },
    { key: 'Enter', does: 'Open the row', run: () => at >= 0 && at < length && open(at) },
  ]);
  return { at, body };
}
