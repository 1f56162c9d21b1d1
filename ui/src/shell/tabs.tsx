import type { KeyboardEvent } from 'react';

import styles from './tabs.module.css';

interface Tab {
  id: string;
  word: string;
  count?: number;
  /** There are more than are counted. */
  more?: boolean;
}

/** The parts of a page; which one is open is in the address, so each can be linked. */
export function Tabs({ label, tabs, at, onGo }: { label: string; tabs: Tab[]; at: string; onGo: (id: string) => void }) {
  const key = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.findIndex((tab) => tab.id === at) + step + tabs.length) % tabs.length]!;
    onGo(next.id);
    event.currentTarget.querySelector<HTMLElement>(`#tab-${next.id}`)?.focus();
  };
  return (
    <div role="tablist" aria-label={label} className={styles.tabs} onKeyDown={key}>
      {tabs.map(({ id, word, count, more }) => (
        <button key={id} id={`tab-${id}`} type="button" role="tab" aria-selected={id === at} tabIndex={id === at ? 0 : -1} className={styles.tab} onClick={() => onGo(id)}>
          {word}{count !== undefined && <span className={styles.count}>{count.toLocaleString('en')}{more && '+'}</span>}
        </button>
      ))}
    </div>
  );
}
