import { LogIn } from 'lucide-react';
import { type FormEvent, useEffect, useRef, useState } from 'react';

import { type Session, signIn } from '../gateway/session.ts';
import { Button } from './button.tsx';
import icon from './icon.svg';
import styles from './sign-in.module.css';

/** Signs in by the code of a link, or by a token that is pasted. */
export function SignIn({ code, onSignedIn }: { code?: string; onSignedIn: (session: Session) => void }) {
  const [token, setToken] = useState('');
  const [says, setSays] = useState('');
  const [busy, setBusy] = useState(false);
  const begin = async (shows: { code: string } | { token: string }) => {
    setBusy(true);
    setSays('');
    try {
      onSignedIn(await signIn(shows));
    } catch (error) {
      setSays((error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  const opened = useRef(false);
  useEffect(() => {
    if (code && !opened.current) void begin({ code });
    opened.current = true;
  }, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const shown = token.trim();
    setToken('');
    if (shown) void begin({ token: shown });
  };
  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <h1><img src={icon} alt="" width={28} height={28} /> IntelGraph</h1>
        <p className={styles.lead}>Sign in to search this node. What you see depends on who you are; the link of a page stays good.</p>
        <form onSubmit={submit}>
          <label htmlFor="token">Token</label>
          <div className={styles.line}>
            <input id="token" type="password" autoComplete="off" spellCheck={false} placeholder="ig_tok_…" autoFocus
              value={token} onChange={(event) => setToken(event.target.value)} aria-describedby="says" />
            <Button main type="submit" isDisabled={busy}><LogIn size={14} aria-hidden /> Sign in</Button>
          </div>
          <p id="says" role="alert" className={styles.says}>{says}</p>
        </form>
        <h2>Or with a link</h2>
        <p>Each is good once, for the browser that opens it first.</p>
        <dl>
          <dt>With a token on your machine</dt>
          <dd><code>intelgraph token link</code></dd>
          <dt>On the node’s own machine, without one</dt>
          <dd><code>intelgraph token first-owner</code></dd>
        </dl>
      </div>
    </main>
  );
}
