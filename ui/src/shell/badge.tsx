import type { ReactNode } from 'react';

import styles from './badge.module.css';

/** A word or two that stand out: what state something is in, how far it may travel. Green is kept for what was verified. */
export function Badge({ tone = 'plain', children, title }: { tone?: 'plain' | 'busy' | 'warn' | 'bad' | 'verified'; children: ReactNode; title?: string }) {
  return <span className={styles.badge} data-tone={tone} title={title}>{children}</span>;
}

const TONES: Record<string, 'plain' | 'warn' | 'bad'> = { internal: 'warn', confidential: 'bad', restricted: 'bad', secret: 'bad' };

/** A classification: the less it may travel, the more it stands out. */
export function Classification({ of }: { of: string }) {
  return <span className={styles.class} data-tone={TONES[of] ?? 'plain'}>{of}</span>;
}
