import { type FormEvent, useState } from 'react';

import { type Data, run } from '../gateway/run.ts';
import { CLASSIFICATIONS, PURPOSES, purposesOf, ROLES } from '../gateway/terms.ts';
import { queries } from '../gateway/use.ts';
import { Button } from '../shell/button.tsx';
import { Choices, Field } from '../shell/field.tsx';
import { useSession } from '../shell/gate.tsx';
import { Section } from '../shell/page.tsx';
import { dayOf } from '../shell/time.tsx';
import styles from './new-token.module.css';
import { Secret } from './secret.tsx';

type Made = Data<'tokenCreate:v1'>['tokenCreate'];

const DAYS = [1, 7, 30, 90, 366];
const DAY_MS = 86_400_000;
/** Who can make which roles: nobody makes a token that can do more than their own. */
const MAKES: Record<string, string[]> = { owner: ROLES.map(({ id }) => id), admin: ROLES.map(({ id }) => id).filter((id) => id !== 'owner') };
/** Rights beyond a role. */
const SCOPES = [{ id: 'graphql.adhoc', says: 'documents of its own, not only the operations that there are' }, { id: 'embargoed.read', says: 'data under embargo' }];

/** Makes a token, and shows it once. */
export function NewToken({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const [role, setRole] = useState('reader');
  const [clearance, setClearance] = useState('public');
  const [purposes, setPurposes] = useState<string[]>([]);
  const [scopes, setScopes] = useState<string[]>([]);
  const [days, setDays] = useState(30);
  const [made, setMade] = useState<Made | null>(null);
  const [says, setSays] = useState('');
  const [busy, setBusy] = useState(false);
  const rank = (id: string) => CLASSIFICATIONS.findIndex((one) => one.id === id);
  const isOwner = session.role === 'owner';
  const expiresAt = new Date(Date.now() + days * DAY_MS - 60_000).toISOString();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (purposes.length === 0) return setSays('A token needs a purpose: without one it lets nobody in.');
    setBusy(true);
    setSays('');
    try {
      const { data } = await run('tokenCreate:v1', { role, clearance, purposes, scopes, expiresAt });
      setMade(data.tokenCreate);
      await queries.invalidateQueries({ queryKey: ['tokenList:v1'] });
    } catch (error) {
      setSays((error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  if (made) return <Shown made={made} onClose={onClose} />;
  const cli = ['intelgraph token create', `--role ${role}`, `--clearance ${clearance}`, ...purposes.map((purpose) => `--purpose '${purpose}'`), ...scopes.map((scope) => `--scope ${scope}`), `--expires ${days}d`].join(' ');
  return (
    <Section title="New token">
      <form className={styles.form} onSubmit={(event) => void submit(event)}>
        <Choices label="Role" columns value={[role]} onChange={([role]) => setRole(role!)}
          of={ROLES.map(({ id, says }) => ({ id, word: id, says, isOff: !(MAKES[session.role] ?? [session.role]).includes(id) }))} />
        <Choices label="Sees at most" columns value={[clearance]} onChange={([clearance]) => setClearance(clearance!)}
          of={CLASSIFICATIONS.map(({ id, says }) => ({ id, word: id, says: rank(id) > rank(session.clearance) ? 'above your own clearance' : says, isOff: rank(id) > rank(session.clearance) }))} />
        <Choices label="Comes for" many columns value={purposes} onChange={setPurposes} error={says.startsWith('A token needs') ? says : undefined}
          of={PURPOSES.map(({ id, says }) => ({ id, word: id, says: session.purposes.includes(id) ? says : 'not among your own', isOff: !session.purposes.includes(id) }))} />
        <Choices label="Rights beyond the role" many columns value={scopes} onChange={setScopes}
          of={SCOPES.map(({ id, says }) => ({ id, word: id, says: isOwner || session.scopes.includes(id) ? says : 'not among your own', isOff: !isOwner && !session.scopes.includes(id) }))} />
        <div className={styles.ends}><Field label="Ends after" hint={`On ${dayOf(expiresAt)}; 366 days at most`}>
          {(control) => <select {...control} value={days} onChange={(event) => setDays(Number(event.target.value))}>{DAYS.map((days) => <option key={days} value={days}>{days === 1 ? '1 day' : `${days} days`}</option>)}</select>}
        </Field></div>
        <div className={styles.go}>
          <Button main type="submit" isDisabled={busy}>Make the token</Button>
          <Button onPress={onClose}>Cancel</Button>
          {says && !says.startsWith('A token needs') && <p role="alert">{says}</p>}
        </div>
        <code className={styles.cli}>{cli}</code>
      </form>
    </Section>
  );
}

function Shown({ made: { id, token, roles, clearance, purpose, expiresAt }, onClose }: { made: Made; onClose: () => void }) {
  return (
    <Secret title={`Token ${id}`} secret={token} what="token" onClose={onClose}
      says={<>{roles.join(', ')}, {clearance}, for {purposesOf(purpose)}, until {dayOf(expiresAt)}. Keep it now: it is not shown again, and the node keeps only its digest. Whoever has it comes in with it.</>}
      uses={[['For commands', `export INTELGRAPH_TOKEN=${token}`], ['To hand it to a browser', 'INTELGRAPH_TOKEN=… intelgraph token link']]} />
  );
}
