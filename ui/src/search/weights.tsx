import { type FormEvent, useEffect, useId, useRef, useState } from 'react';

import { run } from '../gateway/run.ts';
import { queries } from '../gateway/use.ts';
import { count, counted } from '../shell/amount.ts';
import { Badge } from '../shell/badge.tsx';
import { Button } from '../shell/button.tsx';
import { Section } from '../shell/page.tsx';
import table from '../shell/table.module.css';
import { aloneOf, changes, curveOf, MEASURES, nearest } from './tuned.ts';
import type { Run, Tuned } from './tuning.ts';
import styles from './weights.module.css';

const FLAG = 'keyword-weight';

interface Props {
  tuned: Tuned;
  now: number;
  chosen: number;
  tenant: string;
  onChoose: (weight: number) => void;
}

/** Every weight and what it is worth: the curve as numbers. One is chosen, and may be set. */
export function Weights({ tuned, now, chosen, tenant, onChoose }: Props) {
  const group = useId();
  const present = nearest(tuned.runs, now)?.ndcg_at_10;
  const words = aloneOf(tuned.runs, 'keyword');
  const meaning = aloneOf(tuned.runs, 'vector');
  return (
    <Section title="Every weight" note="Means over all queries; a weight is that of words">
      <table className={`${table.table} ${table.flush} ${styles.weights}`}>
        <thead><tr><th>Weight</th>{MEASURES.map(({ id, word, says }) => <th key={id} title={says}>{word}</th>)}<th>Beside now</th></tr></thead>
        <tbody>
          {curveOf(tuned.runs).map((run) => (
            <Row key={run.weight} run={run} present={present}>
              <label>
                <input type="radio" name={group} checked={run.weight === chosen} onChange={() => onChoose(run.weight)} />
                {run.weight}
                {run.weight === tuned.weight && <Badge tone="busy">best</Badge>}
                {run.weight === now && <Badge>now</Badge>}
              </label>
            </Row>
          ))}
          {words && <Row run={words} present={present}>Words alone</Row>}
          {meaning && <Row run={meaning} present={present}>Meaning alone</Row>}
        </tbody>
      </table>
      <Setting key={chosen} tuned={tuned} now={now} chosen={chosen} tenant={tenant} />
    </Section>
  );
}

function Row({ run, present, children }: { run: Run; present: number | undefined; children: React.ReactNode }) {
  const difference = present === undefined ? 0 : run.ndcg_at_10 - present;
  return (
    <tr>
      <th scope="row">{children}</th>
      {MEASURES.map(({ id, word }) => <td key={id} data-name={word}>{run[id].toFixed(4)}</td>)}
      <td data-name="beside now">{signed(difference)}</td>
    </tr>
  );
}

const signed = (number: number) => (Math.abs(number) < 0.00005 ? '0' : `${number < 0 ? '−' : '+'}${Math.abs(number).toFixed(4)}`);

/** Sets the weight that was chosen, for everybody of the tenant; asks before. */
function Setting({ tuned, now, chosen, tenant }: Omit<Props, 'onChoose'>) {
  const [isAsked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [says, setSays] = useState('');
  const first = useRef<HTMLDivElement>(null);
  const { gain, lose } = changes(tuned, now, chosen);
  useEffect(() => {
    if (isAsked) first.current?.querySelector('button')?.focus();
  }, [isAsked]);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await run('flagSet:v1', { name: FLAG, value: String(chosen) });
      await queries.invalidateQueries({ queryKey: ['flags:v1'] });
      setAsked(false);
      setSays('');
    } catch (error) {
      setSays((error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  if (chosen === now) return <p className={styles.setting} role="status">Words count {now} in tenant {tenant}. Choose another weight to set it.</p>;
  return (
    <form className={styles.setting} onSubmit={(event) => void submit(event)} onKeyDown={(event) => event.key === 'Escape' && setAsked(false)}>
      <p>At {chosen} in place of {now}, {counted(gain.length, 'query', 'queries')} of {count(tuned.queries)} would be answered better, and {count(lose.length)} worse.</p>
      {isAsked ? (
        <div ref={first} role="group" aria-label="Set the weight?">
          <p>From then on words count {chosen} in every search by words and meaning in tenant <b>{tenant}</b> that names no weight of its own. Who set it is recorded. It can be set back.</p>
          <Button main type="submit" isDisabled={busy}>Set it to {chosen}</Button>
          <Button onPress={() => setAsked(false)}>Leave it at {now}</Button>
        </div>
      ) : <Button onPress={() => setAsked(true)}>Set the weight to {chosen}…</Button>}
      {says && <b role="alert">{says}</b>}
    </form>
  );
}
