import { count, duration } from '../shell/amount.ts';
import table from '../shell/table.module.css';
import styles from './load.module.css';
import { Course } from '../shell/gauge.tsx';
import { type Measured, quantile, rates, valueOf } from './metrics.ts';

/** What is asked of the node, and how long it takes. */
export function Load({ measured }: { measured: Measured[] }) {
  const { metrics } = measured.at(-1)!;
  const within = (name: string, share: number) => {
    const bound = quantile(metrics, name, share);
    return bound === undefined ? 'none yet' : bound === Infinity ? 'longer than all bounds' : `${duration(bound)} or less`;
  };
  const lines: [string, string, string, number[]][] = [
    ['Requests', 'answered each second, imports and pages of this app included', perSecond(measured, 'request_duration_seconds_count'), rates(measured, 'request_duration_seconds_count')],
    ['Searches', 'answered each second', perSecond(measured, 'searches_total'), rates(measured, 'searches_total')],
    ['Commits', 'each second; one carries many writes', perSecond(measured, 'commit_duration_seconds_count'), rates(measured, 'commit_duration_seconds_count')],
    ['Records', 'in all ledgers', count(valueOf(metrics, 'log_records') ?? 0), measured.map((one) => valueOf(one.metrics, 'log_records') ?? 0)],
    ['Connections', 'that are open now', count(valueOf(metrics, 'connections') ?? 0), measured.map((one) => valueOf(one.metrics, 'connections') ?? 0)],
    ['Readings', 'that are running; others wait for a place', `${count(valueOf(metrics, 'readers_busy') ?? 0)}, ${count(valueOf(metrics, 'readers_waiting') ?? 0)} waiting`, measured.map((one) => valueOf(one.metrics, 'readers_busy') ?? 0)],
  ];
  const times: [string, string, string][] = [
    ['Half of all requests take', 'from the head to the end of the answer, since the node started', within('request_duration_seconds', 0.5)],
    ['95 of 100 take', 'the same', within('request_duration_seconds', 0.95)],
    ['95 of 100 commits take', 'until what was written is durable', within('commit_duration_seconds', 0.95)],
  ];
  return (
    <table className={`${table.table} ${table.flush} ${styles.load}`}>
      <thead><tr><th>What</th><th>Now</th><th>How it went</th></tr></thead>
      <tbody>
        {lines.map(([name, means, now, course]) => (
          <tr key={name}>
            <th scope="row">{name} <span>{means}</span></th>
            <td className={table.nowrap}>{now}</td>
            <td><Course of={course} label={`${name}, since this page is open`} /></td>
          </tr>
        ))}
        {times.map(([name, means, value]) => (
          <tr key={name}>
            <th scope="row">{name} <span>{means}</span></th>
            <td colSpan={2}>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function perSecond(measured: Measured[], name: string): string {
  const rate = rates(measured, name).at(-1);
  return rate === undefined ? 'being measured' : rate.toFixed(rate < 10 ? 1 : 0);
}
