import styles from './segments.module.css';

/** One of a few, side by side. */
export function Segments<T extends string>({ label, of, at, onGo }: { label: string; of: { id: T; word: string }[]; at: T; onGo: (id: T) => void }) {
  return (
    <div role="group" aria-label={label} className={styles.segments}>
      {of.map(({ id, word }) => <button key={id} type="button" aria-pressed={id === at} onClick={() => onGo(id)}>{word}</button>)}
    </div>
  );
}
