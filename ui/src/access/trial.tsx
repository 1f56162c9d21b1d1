import { CircleMinus, CirclePlus, Equal } from 'lucide-react';
import { useMemo } from 'react';

import type { Data } from '../gateway/run.ts';
import { count, counted } from '../shell/amount.ts';
import { Partial } from '../shell/states.tsx';
import table from '../shell/table.module.css';
import styles from './trial.module.css';

type Found = Data<'policySimulate:v1'>['policySimulate'];
type Change = Found['gains'][number];

/** What a policy would change: who could do more first, and never folded. */
export function Trial({ found: { gains, losses, gainsTotal, lossesTotal, compared, damaged } }: { found: Found }) {
  const unused = [...gains, ...losses].every(({ used }) => used === 0);
  return (
    <div className={styles.trial} role="region" aria-label="What would change">
      <p className={styles.sum} role="status">
        <span data-is="gains"><b>{count(gainsTotal)}</b> newly allowed</span>
        <span><b>{count(lossesTotal)}</b> newly denied</span>
        <span><b>{count(compared - gainsTotal - lossesTotal)}</b> unchanged</span>
      </p>
      {compared === 0 && <p className={styles.none}>No data: no token of this tenant lets anybody in, so there is nothing to compare.</p>}
      {damaged.length > 0 && <Partial shown={damaged.length} what="parts of the decision log could not be read; they are missing in what was really used">{damaged.join('; ')}</Partial>}
      {compared > 0 && gainsTotal + lossesTotal === 0 && <p className={styles.none}><Equal size={16} aria-hidden /> Nothing changes: each of {count(compared)} decisions, of every token, action and label, falls as before.</p>}
      <Changes title="Newly allowed" kind="gains" of={gains} total={gainsTotal} used="asked for in vain" />
      <Changes title="Newly denied" kind="losses" of={losses} total={lossesTotal} used="really used" />
      {gainsTotal + lossesTotal > 0 && unused && <p className={styles.none}>No use of any of them is known, as far back as the decision log goes.</p>}
    </div>
  );
}

/** Changes by person, then by action, those that matter most first. */
function Changes({ title, kind, of, total, used }: { title: string; kind: 'gains' | 'losses'; of: Change[]; total: number; used: string }) {
  const groups = useMemo(() => byPerson(of), [of]);
  if (total === 0) return null;
  const Sign = kind === 'gains' ? CirclePlus : CircleMinus;
  return (
    <section className={styles.changes} data-is={kind}>
      <h2><Sign size={16} aria-hidden /> {title} <b>{count(total)}</b></h2>
      {of.length < total && <Partial shown={of.length} total={total} what="changes">The rest were used least; <code>intelgraph policy simulate --token ID</code> narrows it.</Partial>}
      <table className={`${table.table} ${table.flush}`}>
        <thead><tr><th>Who</th><th>May do</th><th>On</th><th className={styles.used}>{used}</th></tr></thead>
        {groups.map(({ person, changes }) => (
          <tbody key={person}>
            {changes.map(({ action, label, labelId, used }, index) => (
              <tr key={`${action} ${labelId}`}>
                {index === 0 && <th scope="rowgroup" rowSpan={changes.length}><Person of={person} /><span className={table.muted}>{count(changes.length)} {changes.length === 1 ? 'change' : 'changes'}</span></th>}
                <td className={table.nowrap}><code>{action}</code></td>
                <td>{label}</td>
                <td className={styles.used}>{used > 0 ? <b>{counted(used, 'time')}</b> : <span className={table.muted}>never</span>}</td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </section>
  );
}

/** `analyst, clearance internal, for threat-intel (token 1f..)`, with the token apart. */
function Person({ of }: { of: string }) {
  const [, words, token] = of.match(/^(.*) \(token (\S+)\)$/) ?? [null, of];
  return <span className={styles.person}>{words}{token && <code>{token}</code>}</span>;
}

function byPerson(changes: Change[]): { person: string; changes: Change[] }[] {
  const groups = new Map<string, Change[]>();
  for (const change of changes) groups.set(change.principal, [...(groups.get(change.principal) ?? []), change]);
  return [...groups].map(([person, changes]) => ({ person, changes }));
}
