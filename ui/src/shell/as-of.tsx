import { useMatches, useNavigate } from '@tanstack/react-router';
import { History } from 'lucide-react';
import { type FormEvent, useRef, useState } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { Dialog, DialogTrigger } from 'react-aria-components/Dialog';
import { Popover } from 'react-aria-components/Popover';

import styles from './as-of.module.css';
import { Button } from './button.tsx';
import { useKeys } from './keys.ts';
import menu from './menu.module.css';

/** The moment that the page shows: now, or what the node knew then. There where a page knows the past. */
export function AsOf() {
  const match = useMatches().find((match) => match.staticData.asOf);
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useKeys('This page', match ? [{ key: 'b', does: 'As of: what the node knew then', run: () => setOpen(true) }] : []);
  if (!match) return null;
  const { asOf } = match.search as { asOf?: string };
  const go = (to: string | undefined) => {
    setOpen(false);
    void navigate({ to: '.', search: (before: object) => ({ ...before, asOf: to }) } as never);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const chosen = field.current?.value;
    go(chosen ? new Date(`${chosen}Z`).toISOString() : undefined);
  };
  return (
    <DialogTrigger isOpen={open} onOpenChange={setOpen}>
      <AriaButton className={`${styles.chip} ${asOf ? styles.past : ''}`} aria-label={`As of ${asOf ?? 'now'}`}>
        <History size={14} aria-hidden /> <span>{asOf ? asOf.slice(0, 16).replace('T', ' ') : 'Now'}</span>
      </AriaButton>
      <Popover className={`${menu.popover} ${menu.card}`} placement="bottom end">
        <Dialog aria-label="As of" className={styles.dialog}>
          <form onSubmit={submit}>
            <label htmlFor="as-of">Show what the node knew at (UTC)</label>
            <input id="as-of" ref={field} type="datetime-local" autoFocus defaultValue={(asOf ?? new Date().toISOString()).slice(0, 16)} />
            <div className={styles.ways}>
              <Button main type="submit">Show</Button>
              <Button onPress={() => go(undefined)}>Now</Button>
            </div>
          </form>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
