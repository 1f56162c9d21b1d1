import { type ReactNode, useId } from 'react';

import styles from './field.module.css';

interface Props {
  label: ReactNode;
  hint?: ReactNode;
  /** What is wrong with it, and what to do. */
  error?: string;
  /** The control, given the id and what describes it. */
  children: (control: { id: string; 'aria-describedby': string | undefined; 'aria-invalid': boolean | undefined }) => ReactNode;
}

/** A control with its name, what it is for, and what is wrong with it. */
export function Field({ label, hint, error, children }: Props) {
  const id = useId();
  const says = error ?? hint;
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-describedby': says ? `${id}-says` : undefined, 'aria-invalid': error ? true : undefined })}
      {says && <p id={`${id}-says`} className={error ? styles.error : styles.hint}>{says}</p>}
    </div>
  );
}

/** One of a few, each with what it means. */
export function Choices<T extends string>({ label, of, value, onChange, error, many = false, columns = false }: {
  label: string; of: { id: T; word: ReactNode; says?: ReactNode; isOff?: boolean }[]; value: T[]; onChange: (value: T[]) => void; error?: string; many?: boolean; columns?: boolean;
}) {
  const name = useId();
  const toggle = (id: T) => onChange(many ? (value.includes(id) ? value.filter((one) => one !== id) : [...value, id]) : [id]);
  return (
    <fieldset className={`${styles.choices} ${columns ? styles.columns : ''}`} aria-describedby={error ? `${name}-says` : undefined}>
      <legend>{label}</legend>
      <div>
        {of.map(({ id, word, says, isOff }) => (
          <label key={id} data-off={isOff || undefined}>
            <input type={many ? 'checkbox' : 'radio'} name={name} checked={value.includes(id)} disabled={isOff} onChange={() => toggle(id)} />
            <span><b>{word}</b>{says && <small>{says}</small>}</span>
          </label>
        ))}
      </div>
      {error && <p id={`${name}-says`} className={styles.error}>{error}</p>}
    </fieldset>
  );
}
