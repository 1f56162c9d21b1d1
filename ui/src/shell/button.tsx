import type { ReactNode } from 'react';
import { Button as AriaButton, type ButtonProps } from 'react-aria-components/Button';

import styles from './button.module.css';

type Props = Omit<ButtonProps, 'className' | 'children'> & { children: ReactNode; main?: boolean; quiet?: boolean; danger?: boolean };

/** A button. One on a page may be the main one; what cannot be taken back is danger. */
export function Button({ main, quiet, danger, children, ...rest }: Props) {
  const look = main ? styles.main : danger ? styles.danger : quiet ? styles.quiet : '';
  return <AriaButton {...rest} className={`${styles.button} ${look}`}>{children}</AriaButton>;
}

/** A button that shows a picture alone: what it does is its label, and its title. */
export function IconButton({ label, children, ...rest }: Omit<ButtonProps, 'className' | 'children'> & { label: string; children: ReactNode }) {
  return (
    <span title={label} className={styles.titled}>
      <AriaButton {...rest} aria-label={label} className={styles.icon}>{children}</AriaButton>
    </span>
  );
}
