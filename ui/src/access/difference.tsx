import { Cedar } from './cedar.tsx';
import styles from './difference.module.css';
import { around, compare } from './lines.ts';

const SIGNS = { same: ' ', out: '−', in: '+' };

/** What one text has and the other has not, with a few lines around. */
export function Difference({ before, after }: { before: string; after: string }) {
  const lines = around(compare(before, after));
  if (lines.every((line) => line === null || line.is === 'same')) return <p className={styles.same}>The two are the same, word for word.</p>;
  return (
    <pre className={styles.lines} tabIndex={0} aria-label="What is different">
      {lines.map((line, index) => (line ? <div key={index} data-is={line.is}><span>{SIGNS[line.is]}</span> <Cedar line={line.text} />{'\n'}</div> : <div key={index} data-is="gap">⋯{'\n'}</div>))}
    </pre>
  );
}
