// What was observed when, as bars: each a span of time to narrow the hits to.

import { type KeyboardEvent, useRef, useState } from 'react';

import { counted } from '../shell/amount.ts';
import styles from './chart.module.css';

export interface Span {
  since: string;
  before: string;
  count: number;
}

const DAY_MS = 86_400_000;
const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** The first and the last day of a span. */
export function daysOf({ since, before }: Span): [string, string] {
  return [day(Date.parse(since)), day(Date.parse(before) - DAY_MS)];
}

export function Chart({ spans, onPick }: { spans: Span[]; onPick: (from: string, to: string) => void }) {
  const [at, setAt] = useState(0);
  const list = useRef<HTMLOListElement>(null);
  const known = spans.filter(({ since, before }) => !Number.isNaN(Date.parse(since)) && !Number.isNaN(Date.parse(before)));
  if (known.length < 2) return null;
  const [from, to] = [Date.parse(known[0]!.since), Date.parse(known.at(-1)!.before)];
  const most = Math.max(...known.map(({ count }) => count));
  const share = (ms: number) => ((ms - from) / (to - from)) * 100;
  // One stop for the Tab key; arrows go from bar to bar.
  const move = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const next = Math.max(0, Math.min(known.length - 1, Math.min(at, known.length - 1) + step));
    setAt(next);
    list.current?.querySelectorAll('button')[next]?.focus();
  };
  return (
    <div className={styles.chart}>
      <ol ref={list} aria-label="Hits by when they were observed" onKeyDown={move}>
        {known.map((span, index) => {
          const [first, last] = daysOf(span);
          const words = `${counted(span.count, 'hit')}, ${first === last ? first : `${first} to ${last}`}`;
          const [left, right] = [share(Date.parse(span.since)), share(Date.parse(span.before))];
          return (
            <li key={span.since} style={{ left: `${left}%`, width: `${right - left}%` }}>
              <button type="button" tabIndex={index === Math.min(at, known.length - 1) ? 0 : -1} aria-label={words} title={words} onFocus={() => setAt(index)} onClick={() => onPick(first, last)}>
                <span style={{ height: `max(2px, ${(span.count / most) * 100}%)` }} />
              </button>
            </li>
          );
        })}
      </ol>
      <p aria-hidden><span>{day(from)}</span><span>{day(to - DAY_MS)}</span></p>
    </div>
  );
}
