import { type FormEvent, useState } from 'react';

import { type Data, type GatewayError, run } from '../gateway/run.ts';
import { queries } from '../gateway/use.ts';
import { Button } from '../shell/button.tsx';
import { useSession } from '../shell/gate.tsx';
import styles from './setting.module.css';
import { versionName } from './policy-page.tsx';

type Found = Data<'policySimulate:v1'>['policySimulate'];

/** The name by which a danger is confirmed stands in its message. */
const nameOf = (message: string) => message.match(/confirm `([a-z-]+)`/)?.[1] ?? message;

/** Sets a policy that was tried out. Each danger is confirmed by itself, and a lock-out by the name of the tenant. */
export function Setting({ text, replaces, found, onSet }: { text: string; replaces: number; found: Found; onSet: () => void }) {
  const session = useSession();
  const [confirmed, setConfirmed] = useState<string[]>([]);
  const [typed, setTyped] = useState('');
  const [says, setSays] = useState('');
  const [busy, setBusy] = useState(false);
  const names = [...new Set(found.dangers.map(({ message }) => nameOf(message)))];
  const locks = names.includes('lock-out');
  const isReady = names.every((name) => confirmed.includes(name)) && (!locks || typed === session.tenant);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setSays('');
    try {
      await run('policySet:v1', { text, replaces, confirm: confirmed });
      onSet();
    } catch (error) {
      setSays((error as Error).message);
      // Somebody else may have set it meanwhile: the page then shows both.
      if ((error as GatewayError).status === 409) await queries.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[0]).startsWith('policy') });
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className={styles.setting} onSubmit={(event) => void submit(event)} data-danger={names.length > 0 || undefined}>
      {names.length > 0 && <p><b>It is dangerous.</b> It is refused unless each is confirmed:</p>}
      {names.map((name) => (
        <label key={name}>
          <input type="checkbox" checked={confirmed.includes(name)} onChange={(event) => setConfirmed(event.target.checked ? [...confirmed, name] : confirmed.filter((one) => one !== name))} />
          <span><b>{name}</b>{found.dangers.filter(({ message }) => nameOf(message) === name).map(({ line, message }) => <small key={message}>line {line}: {message.replace(/; if that is meant, confirm.*$/, '')}</small>)}</span>
        </label>
      ))}
      {locks && (
        <label className={styles.typed}>A lock-out cannot be taken back, but by restoring a copy of the data directory. Type the tenant’s name
          <input value={typed} autoComplete="off" spellCheck={false} placeholder={session.tenant} onChange={(event) => setTyped(event.target.value)} />
        </label>
      )}
      <div className={styles.go}>
        <Button main={names.length === 0} danger={names.length > 0} type="submit" isDisabled={!isReady || busy}>Set it, in place of {versionName(replaces)}</Button>
        <span>In force with the next request, and a record in the ledger.</span>
        {says && <p role="alert">{says}</p>}
      </div>
    </form>
  );
}
