import type { ReactNode } from 'react';

import { Button } from '../shell/button.tsx';
import { CopyButton } from '../shell/copy.tsx';
import styles from './secret.module.css';

/** What is shown once, with Copy, and how it is used. */
export function Secret({ title, secret, what, says, uses, onClose }: {
  title: string; secret: string; what: string; says: ReactNode; uses: [string, string][]; onClose: () => void;
}) {
  return (
    <section className={styles.secret} role="status" aria-label={title}>
      <h2>{title}</h2>
      <p>{says}</p>
      <div className={styles.text}><code>{secret}</code><CopyButton text={secret} what={what} /></div>
      {uses.map(([does, command]) => <div key={does} className={styles.use}><span>{does}</span><code>{command}</code><CopyButton text={command} what="command" /></div>)}
      <Button onPress={onClose}>I have it</Button>
    </section>
  );
}
