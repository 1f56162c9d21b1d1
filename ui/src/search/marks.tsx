import { Fragment, type ReactNode } from 'react';

interface Range {
  start: number;
  end: number;
}

/** Marks of the text itself that say nothing to a reader of three lines: links, citations, code. */
const NOISE = /\[(?=[^\]\n]*\]\()|\]\(https?:[^\s)]*\)?|\(Citation: [^)]*\)?|<\/?code>/g;

/** A text with its found words marked. Their places are in bytes of UTF-8, as the node counts. */
export function Marked({ text, highlights }: { text: string; highlights: Range[] }): ReactNode {
  const noise = [...text.matchAll(NOISE)].map(({ index, 0: { length } }) => ({ start: index, end: index + length }));
  const marks = inCharacters(text, highlights);
  const isIn = (ranges: Range[], at: number) => ranges.some(({ start, end }) => start <= at && at < end);
  const edges = [...new Set([0, text.length, ...[...noise, ...marks].flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
  return edges.slice(0, -1).map((start, index) => {
    const piece = text.slice(start, edges[index + 1]);
    if (isIn(noise, start)) return null;
    return isIn(marks, start) ? <mark key={start}>{piece}</mark> : <Fragment key={start}>{piece}</Fragment>;
  });
}

function inCharacters(text: string, ranges: Range[]): Range[] {
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder();
  const at = (byte: number) => decoder.decode(bytes.subarray(0, byte)).length;
  return ranges.map(({ start, end }) => ({ start: at(start), end: at(end) }));
}
