import { count } from '../shell/amount.ts';
import table from '../shell/table.module.css';
import styles from './load.module.css';
import { type Metrics, valueOf, valuesBy } from './metrics.ts';

/** Why something was refused, and what raises the limit. */
const MEANS: Record<string, [string, string]> = {
  rate: ['A token asked too often', 'principal_requests_per_second_max'],
  sign_in_limit: ['An address failed to sign in too often', 'failed_sign_ins_per_minute_max'],
  takers: ['Too many requests with a body at once', 'none; they come again in a second'],
  tuners: ['Too many rounds of judged queries at once', 'none; they come again in a moment'],
  readers: ['Too many readings waited for a place', 'none; they come again in a second'],
  slow_body: ['A body came too slowly', 'body_timeout_s'],
  slow_header: ['A head came too slowly', 'header_timeout_s'],
  slow_reader: ['An answer was not taken', 'write_timeout_s'],
  slow_tls_handshake: ['A TLS handshake came too slowly', 'header_timeout_s'],
  tls_handshake: ['A TLS handshake failed', 'none; the client and the certificate do not agree'],
  idle: ['A connection was quiet', 'idle_timeout_s'],
  place_needed: ['The quietest connection left for a new one', 'connections_max'],
  full: ['All connections were taken', 'connections_max'],
  address_full: ['An address had too many connections', 'connections_per_address_max'],
};
/** Part of every day; not somebody's trouble. */
const USUAL = ['idle'];

/** What was refused or closed by a limit, by reason. */
export function Refused({ metrics }: { metrics: Metrics }) {
  const refused = [...valuesBy(metrics, 'requests_refused_total', 'reason'), ...valuesBy(metrics, 'connections_closed_total', 'reason')];
  const handles = [valueOf(metrics, 'process_open_fds'), valueOf(metrics, 'process_max_fds')];
  return (
    <table className={`${table.table} ${table.flush} ${styles.load}`}>
      <thead><tr><th>What</th><th>How often</th><th>Its setting</th></tr></thead>
      <tbody>
        {refused.map(([reason, times]) => (
          <tr key={reason}>
            <th scope="row">{MEANS[reason]?.[0] ?? reason}{USUAL.includes(reason) && <span>part of every day</span>}</th>
            <td>{count(times)}</td>
            <td data-name="setting"><code>{MEANS[reason]?.[1] ?? ''}</code></td>
          </tr>
        ))}
        {refused.length === 0 && <tr><th scope="row">Nothing was refused by a limit</th><td>0</td><td /></tr>}
        {handles[0] !== undefined && handles[1] !== undefined && (
          <tr><th scope="row">File handles <span>connections and files that are open, of those that the system gives</span></th><td>{count(handles[0])} of {count(handles[1])}</td><td data-name="setting"><code>ulimit -n</code></td></tr>
        )}
      </tbody>
    </table>
  );
}
