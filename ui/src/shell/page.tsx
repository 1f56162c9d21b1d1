import type { ReactNode } from 'react';

import styles from './page.module.css';

/** A page with a title, what can be done there, and its content. */
export function Page({ title, lead, actions, children }: { title: ReactNode; lead?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <div>
          <h1>{title}</h1>
          {lead && <p>{lead}</p>}
        </div>
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A part of a page, on a surface of its own. */
export function Section({ title, note, children }: { title: ReactNode; note?: ReactNode; children: ReactNode }) {
  return (
    <section className={styles.section}>
      <header><h2>{title}</h2>{note && <p>{note}</p>}</header>
      <div className={styles.body}>{children}</div>
    </section>
  );
}

/** Names and values, as a list of two columns. */
export function Pairs({ of }: { of: [string, ReactNode][] }) {
  return <dl className={styles.pairs}>{of.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}
