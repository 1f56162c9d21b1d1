// The search box: suggestions while somebody types, hits at once on the page of hits.

import { useNavigate, useRouterState } from '@tanstack/react-router';
import { Search, X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';

import { useOperation } from '../gateway/use.ts';
import { KindIcon } from '../kinds/icon.tsx';
import { wordsOf } from '../kinds/shapes.ts';
import { useKeys } from '../shell/keys.ts';
import styles from './box.module.css';
import { setDraft } from './draft.ts';
import { takeApart } from './words.ts';

/** The address follows what is typed after a pause of so long, in milliseconds: browsers allow few changes a second. */
const PAUSE_MS = 300;
const PREFIX_CHARS_MIN = 2;
const SUGGESTIONS_MAX = 8;

export function SearchBox({ tenant }: { tenant: string }) {
  const at = useRouterState({ select: (state) => state.location });
  const isHits = at.pathname === `/t/${tenant}/search`;
  const searched = isHits ? ((at.search as { q?: string }).q ?? '') : '';
  const [text, setText] = useState(searched);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const navigate = useNavigate();
  const list = useId();

  const prefix = takeApart(text).words;
  const asked = useOperation('suggest:v1', { prefix, limit: SUGGESTIONS_MAX }, { enabled: open && prefix.length >= PREFIX_CHARS_MIN, keep: true });
  const suggestions = open && prefix.length >= PREFIX_CHARS_MIN ? (asked.data?.data.suggest ?? []) : [];

  // The address changed by itself: Back, a link, a chip that was taken out.
  useEffect(() => {
    setText(searched);
    setDraft(null);
  }, [searched, isHits]);
  useKeys('Anywhere', [
    { key: '/', does: 'Search box', run: () => input.current?.select() },
    { key: 'Ctrl-k', does: 'Search box', run: () => input.current?.select(), always: true },
  ]);

  const search = (q: string, replace: boolean) => {
    clearTimeout(timer.current);
    void navigate({ to: '/t/$tenant/search', params: { tenant }, search: (before) => ({ ...(isHits ? before : {}), q: q || undefined, hit: undefined }), replace });
  };
  const typed = (q: string) => {
    setText(q);
    setOpen(true);
    setActive(-1);
    clearTimeout(timer.current);
    if (isHits) {
      setDraft(q);
      timer.current = setTimeout(() => search(q.trim(), true), PAUSE_MS);
    }
  };
  const openEntity = (id: string) => {
    clearTimeout(timer.current);
    setOpen(false);
    input.current?.blur();
    void navigate({ to: '/t/$tenant/e/$id', params: { tenant, id } });
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive((before) => Math.max(-1, Math.min(suggestions.length - 1, before + step)));
    } else if (event.key === 'Enter') {
      const chosen = suggestions[active];
      if (chosen) return openEntity(chosen.id);
      setOpen(false);
      search(text.trim(), isHits && searched === '');
      input.current?.blur();
    } else if (event.key === 'Escape') {
      if (suggestions.length) setOpen(false);
      else input.current?.blur();
    }
  };
  const shown = suggestions.length > 0;
  return (
    <div className={styles.box} role="search">
      <Search size={16} className={styles.sign} aria-hidden />
      <input
        ref={input} type="text" role="combobox" aria-label="Search" placeholder="Search entities, documents, ids…" autoComplete="off" spellCheck={false}
        aria-expanded={shown} aria-controls={list} aria-autocomplete="list" aria-activedescendant={active >= 0 ? `${list}-${active}` : undefined}
        maxLength={1000} value={text} onChange={(event) => typed(event.target.value)} onKeyDown={key} onBlur={() => setOpen(false)}
      />
      {text ? <button type="button" className={styles.clear} aria-label="Clear" onMouseDown={(event) => event.preventDefault()} onClick={() => { typed(''); search('', false); input.current?.focus(); }}><X size={14} /></button> : <kbd aria-hidden className={styles.key}>/</kbd>}
      <ul id={list} role="listbox" aria-label="Suggestions" className={styles.list} hidden={!shown}>
        {suggestions.map(({ id, type, title }, index) => (
          <li key={id} id={`${list}-${index}`} role="option" aria-selected={index === active} className={styles.item}
            onMouseDown={(event) => event.preventDefault()} onClick={() => openEntity(id)} onMouseMove={() => setActive(index)}>
            <KindIcon type={type} />
            <span className={styles.title}>{title}</span>
            <span className={styles.type}>{wordsOf(type)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
