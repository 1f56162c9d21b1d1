import { Fragment, type ReactNode, useState } from 'react';

import type { Json } from '../gateway/operations.ts';
import { Button } from '../shell/button.tsx';
import { Time } from '../shell/time.tsx';
import { Reference } from './reference.tsx';
import styles from './value.module.css';

/** Longer texts and lists are folded; beside a list of hits sooner. */
const CHARS_SHOWN = 600;
const CHARS_SHORT = 220;
const ITEMS_SHOWN = 8;

/** A value of any shape, as a person reads it. */
export function Value({ of, short = false }: { of: Json; short?: boolean }): ReactNode {
  if (of === null) return <i>nothing</i>;
  if (typeof of === 'boolean') return of ? 'yes' : 'no';
  if (typeof of === 'number') return String(of);
  if (typeof of === 'string') return <Text of={of} max={short ? CHARS_SHORT : CHARS_SHOWN} />;
  if (Array.isArray(of)) return <List of={of} short={short} />;
  return <Fields of={of} short={short} />;
}

function Text({ of, max }: { of: string; max: number }) {
  const [whole, setWhole] = useState(false);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(of)) return <Time at={of} />;
  if (/^[a-z0-9-]+--[0-9a-f]{8}-[0-9a-f-]{27}$/.test(of)) return <Reference id={of} />;
  if (/^https?:\/\/\S+$/.test(of)) return <a href={of} target="_blank" rel="noreferrer">{of}</a>;
  if (of.length <= max || whole) return <Prose of={of} />;
  return <><Prose of={`${of.slice(0, max).trimEnd()}…`} /> <Button quiet onPress={() => setWhole(true)}>All {of.length.toLocaleString('en')} characters</Button></>;
}

function List({ of, short }: { of: Json[]; short: boolean }) {
  const [whole, setWhole] = useState(false);
  if (of.length === 0) return <i>none</i>;
  const shown = whole ? of : of.slice(0, short ? 3 : ITEMS_SHOWN);
  const plain = shown.every((item) => typeof item !== 'object');
  return (
    <>
      <ul className={plain ? styles.words : styles.items}>{shown.map((item, index) => <li key={index}><Value of={item} short={short} /></li>)}</ul>
      {shown.length < of.length && <Button quiet onPress={() => setWhole(true)}>{of.length - shown.length} more</Button>}
    </>
  );
}

function Fields({ of, short }: { of: { [name: string]: Json }; short: boolean }) {
  return <dl className={styles.fields}>{Object.entries(of).map(([name, value]) => <Fragment key={name}><dt>{name}</dt><dd><Value of={value} short={short} /></dd></Fragment>)}</dl>;
}

const PARTS = /\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)\)|<code>([\s\S]*?)<\/code>|\(Citation: ([^)]+)\)/g;

/** A text with the few marks that threat reports carry: links, code, citations. Nothing else in it is taken for markup. */
export function Prose({ of }: { of: string }) {
  const shown: ReactNode[] = [];
  let at = 0;
  for (const match of of.matchAll(PARTS)) {
    shown.push(of.slice(at, match.index));
    const [typed, words, address, code, cited] = match;
    if (address) shown.push(<a key={match.index} href={address} target="_blank" rel="noreferrer">{words}</a>);
    else if (code !== undefined) shown.push(<code key={match.index}>{code}</code>);
    else shown.push(<cite key={match.index} className={styles.cite} title={`Cited: ${cited}`}>{cited}</cite>);
    at = match.index + typed.length;
  }
  shown.push(of.slice(at));
  return <span className={styles.prose}>{shown}</span>;
}
