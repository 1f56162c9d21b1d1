import { Check, CircleAlert } from 'lucide-react';

import { useOperation } from '../gateway/use.ts';
import { CopyButton } from '../shell/copy.tsx';
import { Section } from '../shell/page.tsx';
import { Empty, Loaded } from '../shell/states.tsx';
import table from '../shell/table.module.css';
import styles from './doctor.module.css';

/** The node looks at itself so often, in milliseconds. */
const EVERY_MS = 30_000;

/** What the node finds when it looks at itself: what is wrong first, each with what to do. */
export function Doctor() {
  const asked = useOperation('doctor:v1', {}, { every: EVERY_MS });
  return (
    <Section title="Doctor" note={<>What the node finds when it looks at itself <CopyButton text="intelgraph doctor" what="the command that looks as well" /></>}>
      <Loaded asked={asked} rows={4} what="the doctor">
        {({ doctor }) => doctor.length === 0 ? <Empty title="Nothing was looked at">The node gave no findings.</Empty> : (
          <table className={`${table.table} ${table.flush}`}>
            <thead><tr><th>Looked at</th><th>Found</th></tr></thead>
            <tbody>
              {doctor.toSorted((a, b) => Number(a.ok) - Number(b.ok)).map(({ name, ok, detail, fix }) => (
                <tr key={name}>
                  <th scope="row" className={styles.name} data-ok={ok}>{ok ? <Check size={14} aria-label="as it should be" /> : <CircleAlert size={14} aria-label="wrong" />}{name.replaceAll('_', ' ')}</th>
                  <td>{detail}{!ok && fix && <p className={styles.fix}>{fix}</p>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
    </Section>
  );
}
