import { type Ref, useImperativeHandle, useMemo, useRef } from 'react';

import { Cedar } from './cedar.tsx';
import styles from './editor.module.css';

const LINE_PX = 18;

export interface EditorHandle {
  /** Puts the cursor at a line, counted from 1. */
  go: (line: number) => void;
}

/** A text with the numbers of its lines; lines at which something is wrong are marked. The colours lie below a plain field. */
export function Editor({ text, onChange, wrong, label, ref, onKeyDown }: {
  text: string; onChange: (text: string) => void; wrong: Set<number>; label: string; ref?: Ref<EditorHandle>; onKeyDown?: (event: React.KeyboardEvent) => void;
}) {
  const field = useRef<HTMLTextAreaElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => text.split('\n'), [text]);
  useImperativeHandle(ref, () => ({
    go: (line) => {
      const at = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
      field.current?.focus({ preventScroll: true });
      field.current?.setSelectionRange(at, at + (lines[line - 1]?.length ?? 0));
      frame.current?.scrollTo({ top: Math.max(0, (line - 4) * LINE_PX) });
      frame.current?.scrollIntoView({ block: 'nearest' });
    },
  }));
  return (
    <div className={styles.editor} ref={frame}>
      <ol aria-hidden className={styles.numbers}>{lines.map((_, index) => <li key={index} data-wrong={wrong.has(index + 1) || undefined}>{index + 1}</li>)}</ol>
      <div className={styles.text}>
        <pre aria-hidden>{lines.map((line, index) => <div key={index} data-wrong={wrong.has(index + 1) || undefined}><Cedar line={line} />{'\n'}</div>)}</pre>
        <textarea ref={field} aria-label={label} spellCheck={false} autoComplete="off" autoCapitalize="off" wrap="off" value={text} onChange={(event) => onChange(event.target.value)} onKeyDown={onKeyDown} />
      </div>
    </div>
  );
}
