import { CopyButton } from '../shell/copy.tsx';
import styles from './commands.module.css';

/** Commands to type elsewhere, each with what it does. */
export function Commands({ of }: { of: [string, string][] }) {
  return (
    <ol className={styles.commands}>
      {of.map(([does, command]) => (
        <li key={command}>
          <p>{does}</p>
          <div><code>{command}</code><CopyButton text={command} what="command" /></div>
        </li>
      ))}
    </ol>
  );
}
