import { Plus } from 'lucide-react';
import { type FormEvent, useState } from 'react';

import { type Data, run } from '../gateway/run.ts';
import { queries, useOperation } from '../gateway/use.ts';
import { Button } from '../shell/button.tsx';
import { Field } from '../shell/field.tsx';
import { Section } from '../shell/page.tsx';
import { Loaded, Partial } from '../shell/states.tsx';
import table from '../shell/table.module.css';
import { Time } from '../shell/time.tsx';
import styles from './holds.module.css';

type Hold = Data<'holds:v1'>['holds']['edges'][number]['node'];
type Kind = 'entity' | 'source' | 'tenant';

const HOLDS_MAX = 1_000;
const KINDS: [Kind, string][] = [['entity', 'An entity'], ['source', 'All that a source says'], ['tenant', 'The whole tenant']];

/** What must not be erased, by whomever and however old: set, seen, removed. */
export function Holds() {
  const [said, setSaid] = useState<{ text: string; isWrong: boolean } | null>(null);
  const [busy, setBusy] = useState(false);
  const take = async (act: () => Promise<string>) => {
    setBusy(true);
    try {
      const text = await act();
      await queries.invalidateQueries({ queryKey: ['holds:v1'] });
      setSaid({ text, isWrong: false });
    } catch (error) {
      setSaid({ text: (error as Error).message, isWrong: true });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Section title="Holds" note="What they are on is not erased, by whomever and however old">
      <div className={styles.holds}>
        <Add busy={busy} onAdd={(kind, name, reason) => void take(async () => {
          const of = kind === 'tenant' ? { wholeTenant: true } : { [kind]: name };
          const { data } = await run('holdAdd:v1', { ...of, reason });
          return `Hold ${data.holdAdd.id} is set.`;
        })} />
        {said && <p role={said.isWrong ? 'alert' : 'status'} data-wrong={said.isWrong || undefined}>{said.text}</p>}
        <Standing busy={busy} onRemove={(id) => void take(async () => {
          await run('holdRemove:v1', { id });
          return `Hold ${id} is removed.`;
        })} />
      </div>
    </Section>
  );
}

function Add({ busy, onAdd }: { busy: boolean; onAdd: (kind: Kind, name: string, reason: string) => void }) {
  const [kind, setKind] = useState<Kind>('entity');
  const [name, setName] = useState('');
  const [reason, setReason] = useState('');
  const [says, setSays] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const isNamed = kind === 'tenant' || name.trim() !== '';
    setSays(!isNamed ? 'On what? Its id, or the name of a source.' : reason.trim() === '' ? 'Why? Somebody will ask later.' : '');
    if (isNamed && reason.trim() !== '') onAdd(kind, name.trim(), reason.trim());
  };
  return (
    <form className={styles.add} onSubmit={submit}>
      <Field label="On">{(control) => (
        <select {...control} value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
          {KINDS.map(([id, word]) => <option key={id} value={id}>{word}</option>)}
        </select>
      )}</Field>
      {kind !== 'tenant' && <Field label={kind === 'entity' ? 'Its id' : 'Its name'}>{(control) => <input {...control} value={name} autoComplete="off" spellCheck={false} onChange={(event) => setName(event.target.value)} />}</Field>}
      <Field label="Why" error={says}>{(control) => <input {...control} value={reason} autoComplete="off" onChange={(event) => setReason(event.target.value)} />}</Field>
      <Button main type="submit" isDisabled={busy}><Plus size={14} aria-hidden /> Set a hold</Button>
    </form>
  );
}

function Standing({ busy, onRemove }: { busy: boolean; onRemove: (id: string) => void }) {
  const asked = useOperation('holds:v1', { first: HOLDS_MAX });
  return (
    <Loaded asked={asked} rows={2} what="the holds">
      {({ holds: { edges, pageInfo } }) => edges.length === 0 ? <p>No hold stands.</p> : (
        <>
          <table className={table.table}>
            <thead><tr><th>On</th><th>Why</th><th>Set by</th><th>Since</th><th /></tr></thead>
            <tbody>{edges.map(({ node }) => <Row key={node.id} hold={node} busy={busy} onRemove={onRemove} />)}</tbody>
          </table>
          {pageInfo.hasNextPage && <Partial shown={edges.length} what="holds" />}
        </>
      )}
    </Loaded>
  );
}

function Row({ hold: { id, kind, name, reason, setBy, setAt }, busy, onRemove }: { hold: Hold; busy: boolean; onRemove: (id: string) => void }) {
  return (
    <tr>
      <th scope="row">{name === null ? 'the whole tenant' : <>{kind} <code>{name}</code></>}</th>
      <td data-name="why">{reason}</td>
      <td data-name="set by">{setBy === 'node' ? 'the node' : <code>{setBy}</code>}</td>
      <td data-name="since"><Time at={setAt} ago /></td>
      <td><Button danger isDisabled={busy} aria-label={`Remove hold ${id}`} onPress={() => onRemove(id)}>Remove</Button></td>
    </tr>
  );
}
