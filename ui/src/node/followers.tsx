import type { Data } from '../gateway/run.ts';
import { count, duration } from '../shell/amount.ts';
import { Badge } from '../shell/badge.tsx';
import table from '../shell/table.module.css';
import styles from './followers.module.css';
import { Course } from '../shell/gauge.tsx';
import { type Measured, valueOf } from './metrics.ts';

type Node = Pick<Data<'node:v1'>['node'], 'lsn' | 'followers'>;

const MEANS: Record<string, string> = {
  current: 'everything recorded can be found',
  lagging: 'the newest records cannot be found yet; it catches up by itself',
  rebuilding: 'it is being made anew from the log; until then not everything is found',
  failed: 'it has stopped; the log of the node says why. Nothing is lost: it can be made again',
};
const TONES: Record<string, 'plain' | 'busy' | 'bad'> = { current: 'plain', lagging: 'busy', rebuilding: 'busy', failed: 'bad' };

/** What follows the log, how far each has come, and what that means. */
export function Followers({ node, measured }: { node: Node; measured: Measured[] }) {
  const lag = measured.map(({ metrics }) => valueOf(metrics, 'follower_lag_seconds') ?? 0);
  return (
    <table className={`${table.table} ${table.flush}`}>
      <thead><tr><th>Name</th><th>State</th><th>Position</th><th>Behind by</th><th>Oldest not searchable</th></tr></thead>
      <tbody>
        {node.followers.map(({ name, state, lsn }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td><Badge tone={TONES[state]}>{state}</Badge> <span className={table.muted}>{MEANS[state]}</span></td>
            <td data-name="position">
              {count(lsn)} of {count(node.lsn)}
              <progress className={styles.bar} max={node.lsn} value={lsn} aria-label={`${name}: position`} />
            </td>
            <td className={table.nowrap} data-name="behind by">{count(node.lsn - lsn)} records</td>
            <td data-name="oldest not searchable"><span className={styles.lag}>{duration(lag.at(-1) ?? 0)}<Course of={lag} label="How far behind, since this page is open" /></span></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
