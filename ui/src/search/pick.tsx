import { type KeyboardEvent, useId, useState } from 'react';

import { useOperation } from '../gateway/use.ts';
import { KindIcon } from '../kinds/icon.tsx';
import { wordsOf } from '../kinds/shapes.ts';
import styles from './box.module.css';

const PREFIX_CHARS_MIN = 2;
const SUGGESTIONS_MAX = 8;

/** A field that finds one entity by the beginning of its title. */
export function Pick({ label, onPick }: { label: string; onPick: (id: string) => void }) {
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const list = useId();
  const prefix = text.trim();
  const asked = useOperation('suggest:v1', { prefix, limit: SUGGESTIONS_MAX }, { enabled: prefix.length >= PREFIX_CHARS_MIN, keep: true });
  const found = prefix.length >= PREFIX_CHARS_MIN ? (asked.data?.data.suggest ?? []) : [];
  const pick = (id: string) => {
    setText('');
    onPick(id);
  };
  const key = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setActive((before) => Math.max(0, Math.min(found.length - 1, before + step)));
    } else if (event.key === 'Enter' && found[active]) pick(found[active].id);
    else if (event.key === 'Escape') setText('');
  };
  return (
    <div className={styles.pick}>
      <input type="text" role="combobox" aria-label={label} placeholder={label} autoComplete="off" spellCheck={false} aria-expanded={found.length > 0} aria-controls={list}
        aria-autocomplete="list" aria-activedescendant={found.length ? `${list}-${active}` : undefined} value={text}
        onChange={(event) => { setText(event.target.value); setActive(0); }} onKeyDown={key} />
      <ul id={list} role="listbox" aria-label="Suggestions" className={styles.list} hidden={found.length === 0}>
        {found.map(({ id, type, title }, index) => (
          <li key={id} id={`${list}-${index}`} role="option" aria-selected={index === active} className={styles.item} onMouseMove={() => setActive(index)} onClick={() => pick(id)}>
            <KindIcon type={type} /><span className={styles.title}>{title}</span><span className={styles.type}>{wordsOf(type)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
