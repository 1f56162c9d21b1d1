// What is typed, taken apart: words for the index, and filters such as `type:malware`, `-source:feed` or `after:2026-01-01`.

export type Filter = 'type' | 'source' | 'class' | 'after' | 'before';

export interface Part {
  filter: Filter;
  /** What has it is left out. */
  isNot: boolean;
  value: string;
  /** As it stands in what was typed. */
  typed: string;
}

export interface Typed {
  /** What is left for the index: words, phrases, words to leave out. */
  words: string;
  parts: Part[];
}

const FILTER = /(?:^|(?<=\s))(?:(-?)(type|source)|(class|after|before)):(?:"([^"]*)"|(\S+))/g;

export function takeApart(text: string): Typed {
  const parts: Part[] = [];
  const words = text.replace(FILTER, (typed, not: string | undefined, either: Filter | undefined, alone: Filter | undefined, quoted: string | undefined, bare: string | undefined) => {
    const filter = (either ?? alone)!;
    const value = (quoted ?? bare ?? '').trim();
    const isDay = filter === 'after' || filter === 'before';
    if (!value || (isDay && Number.isNaN(Date.parse(value)))) return '';
    parts.push({ filter, isNot: not === '-', value, typed });
    return '';
  });
  return { words: words.replaceAll(/\s+/g, ' ').trim(), parts };
}

/** The text without one of its parts. */
export function without(text: string, part: Part): string {
  return text.replace(part.typed, '').replaceAll(/\s+/g, ' ').trim();
}

/** The pieces of the words, each to be shown as a chip and taken out: phrases, words to leave out, and words. */
export function pieces(words: string): string[] {
  return words.match(/-?"[^"]*"|\S+/g) ?? [];
}
