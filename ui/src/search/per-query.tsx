import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { count } from '../shell/amount.ts';
import { Button } from '../shell/button.tsx';
import { Section } from '../shell/page.tsx';
import { Segments } from '../shell/segments.tsx';
import { Partial } from '../shell/states.tsx';
import table from '../shell/table.module.css';
import styles from './per-query.module.css';
import { type Change, changes } from './tuned.ts';
import type { Form, Tuned } from './tuning.ts';

/** Rows at a time. */
const ROWS = 50;
/** Longer questions do not fit an address. */
const ADDRESS_CHARS_MAX = 1_000;

export type Shown = 'gain' | 'lose' | 'stay';

/** Which queries the chosen weight serves better than the present one, and which it serves worse. */
export function PerQuery({ tuned, now, chosen, shown, among, tenant, onShow }: {
  tuned: Tuned; now: number; chosen: number; shown: Shown; among: Form; tenant: string; onShow: (shown: Shown) => void;
}) {
  const [rows, setRows] = useState(ROWS);
  const found = changes(tuned, now, chosen);
  const list = found[shown];
  const kinds: { id: Shown; word: string }[] = [
    { id: 'gain', word: `${count(found.gain.length)} gain` }, { id: 'lose', word: `${count(found.lose.length)} lose` }, { id: 'stay', word: `${count(found.stay.length)} stay` },
  ];
  return (
    <Section title={`Each query, at ${chosen} in place of ${now}`} note={<Segments label="Queries that" of={kinds} at={shown} onGo={(shown) => { setRows(ROWS); onShow(shown); }} />}>
      {list.length === 0 ? <p className={styles.none}>{chosen === now ? 'The chosen weight is the present one: every query stays.' : 'There are none.'}</p> : (
        <>
          <table className={`${table.table} ${table.flush} ${styles.queries}`}>
            <thead><tr><th>Query</th><th>Relevant</th><th>nDCG@10 at {now}</th><th>at {chosen}</th><th>Change</th></tr></thead>
            <tbody>{list.slice(0, rows).map((change) => <Row key={change.text} change={change} weights={[now, chosen]} among={among} tenant={tenant} />)}</tbody>
          </table>
          {list.length > rows && <Partial shown={rows} total={list.length} what="queries"><Button quiet onPress={() => setRows(rows + ROWS)}>Next {Math.min(ROWS, list.length - rows)}</Button></Partial>}
        </>
      )}
    </Section>
  );
}

function Row({ change: { text, relevant, from, to }, weights: [now, chosen], among, tenant }: { change: Change; weights: [number, number]; among: Form; tenant: string }) {
  const search = { q: text, by: 'meaning' as const, weight: Math.round(chosen * 100), why: true as const, form: among === 'entity' ? undefined : among };
  const difference = to - from;
  return (
    <tr>
      <th scope="row">{text.length <= ADDRESS_CHARS_MAX ? <Link to="/t/$tenant/search" params={{ tenant }} search={search} title={text}>{text}</Link> : <span title={text}>{text}</span>}</th>
      <td data-name="relevant">{count(relevant)}</td>
      <td data-name={`at ${now}`}>{from.toFixed(3)}</td>
      <td data-name={`at ${chosen}`}>{to.toFixed(3)}</td>
      <td data-name="change" className={styles.change} data-is={difference < 0 ? 'loss' : undefined}>{difference < 0 ? '−' : difference > 0 ? '+' : ''}{Math.abs(difference).toFixed(3)}</td>
    </tr>
  );
}
