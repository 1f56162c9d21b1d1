import { X } from 'lucide-react';
import type { ReactNode } from 'react';

import { Button } from '../shell/button.tsx';
import styles from './chips.module.css';
import type { Asked, Params } from './question.ts';
import { pieces, without } from './words.ts';

interface Props {
  asked: Asked;
  params: Params;
  onChange: (to: Partial<Params>) => void;
}

/** What is searched for, piece by piece, each to be taken out. */
export function Chips({ asked, params, onChange }: Props) {
  const q = params.q ?? '';
  const words = pieces(asked.words);
  const drop = (list: string[] | undefined, value: string) => list?.filter((one) => one !== value);
  const chips: [string, ReactNode, () => void][] = [
    ...asked.parts.map((part): [string, ReactNode, () => void] => [part.typed, <><b>{part.isNot && 'not '}{part.filter}</b> {part.value}</>, () => onChange({ q: without(q, part) || undefined })]),
    ...(params.type ?? []).map((value): [string, ReactNode, () => void] => [`t${value}`, <><b>type</b> {value}</>, () => onChange({ type: drop(params.type, value) })]),
    ...(params.source ?? []).map((value): [string, ReactNode, () => void] => [`s${value}`, <><b>source</b> {value}</>, () => onChange({ source: drop(params.source, value) })]),
    ...(params.notType ?? []).map((value): [string, ReactNode, () => void] => [`nt${value}`, <><b>not type</b> {value}</>, () => onChange({ notType: drop(params.notType, value) })]),
    ...(params.notSource ?? []).map((value): [string, ReactNode, () => void] => [`ns${value}`, <><b>not source</b> {value}</>, () => onChange({ notSource: drop(params.notSource, value) })]),
    ...(params.class ?? []).map((value): [string, ReactNode, () => void] => [`c${value}`, <><b>class</b> {value}</>, () => onChange({ class: drop(params.class, value) })]),
    ...(params.from ? [['from', <><b>after</b> {params.from}</>, () => onChange({ from: undefined })] as [string, ReactNode, () => void]] : []),
    ...(params.to ? [['to', <><b>before</b> {params.to}</>, () => onChange({ to: undefined })] as [string, ReactNode, () => void]] : []),
    ...(params.revoked ? [['revoked', <>revoked, too</>, () => onChange({ revoked: undefined })] as [string, ReactNode, () => void]] : []),
    // One word is what the box shows already.
    ...(words.length > 1 ? words : []).map((word, index): [string, ReactNode, () => void] => [`${index}${word}`, word.startsWith('-') ? <><b>not</b> {word.slice(1)}</> : word, () => onChange({ q: q.replace(word, '').replaceAll(/\s+/g, ' ').trim() || undefined })]),
  ];
  if (chips.length === 0) return null;
  return (
    <ul className={styles.chips} aria-label="Searched for">
      {chips.map(([key, shown, remove]) => (
        <li key={key} className={styles.chip}>
          <span>{shown}</span>
          <button type="button" aria-label="Take out" onClick={remove}><X size={12} /></button>
        </li>
      ))}
      {chips.length > 2 && <li><Button quiet onPress={() => onChange({ q: undefined, type: undefined, source: undefined, notType: undefined, notSource: undefined, class: undefined, from: undefined, to: undefined, revoked: undefined })}>Clear all</Button></li>}
    </ul>
  );
}
