import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';

import { run } from '../gateway/run.ts';
import { queries } from '../gateway/use.ts';
import { Button } from '../shell/button.tsx';
import { useSession } from '../shell/gate.tsx';
import { accessRoute } from './routes.tsx';
import styles from './tokens.module.css';
import type { Token } from './tokens.tsx';

/** Asks for the name of what is revoked: that cannot be taken back. */
export function Revoke({ token: { id, roles, clearance, sessions }, columns }: { token: Token; columns: number }) {
  const session = useSession();
  const navigate = useNavigate({ from: accessRoute.fullPath });
  const [typed, setTyped] = useState('');
  const [says, setSays] = useState('');
  const [busy, setBusy] = useState(false);
  const close = () => void navigate({ search: (before) => ({ ...before, revoke: undefined }), replace: true });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (typed.trim() !== id) return setSays('That is not its id.');
    setBusy(true);
    try {
      await run('tokenRevoke:v1', { id });
      await queries.invalidateQueries({ queryKey: ['tokenList:v1'] });
      if (id === session.token) await queries.invalidateQueries({ queryKey: ['session'] });
      close();
    } catch (error) {
      setSays((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <tr className={styles.revoke}>
      <td colSpan={columns}>
        <form onSubmit={(event) => void submit(event)} onKeyDown={(event) => event.key === 'Escape' && close()}>
          <p>Revoke token <code>{id}</code> ({roles.join(', ')}, {clearance})? Nobody comes in with it from the next request on{sessions > 0 && `, and its ${sessions === 1 ? 'browser is' : `${sessions} browsers are`} signed out`}. It cannot be taken back.{id === session.token && <b> It is the token that you are signed in with.</b>}</p>
          <div>
            <label htmlFor="revoked">Type its id</label>
            <input id="revoked" autoFocus autoComplete="off" spellCheck={false} value={typed} onChange={(event) => setTyped(event.target.value)} />
            <Button danger type="submit" isDisabled={busy}>Revoke {id}</Button>
            <Button onPress={close}>Keep it</Button>
            <b role="alert">{says}</b>
          </div>
        </form>
      </td>
    </tr>
  );
}
