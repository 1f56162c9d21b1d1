// Two texts, line by line: what was taken out, what came in, what stayed.

export interface Line {
  text: string;
  is: 'same' | 'out' | 'in';
}

/** More pairs of lines than this are not compared; the whole is out, and in. */
const PAIRS_MAX = 9_000_000;
/** Lines that stay are shown this far from what changed. */
const AROUND = 3;

export function compare(before: string, after: string): Line[] {
  const [a, b] = [before.split('\n'), after.split('\n')];
  let [start, aEnd, bEnd] = [0, a.length, b.length];
  while (start < aEnd && start < bEnd && a[start] === b[start]) start++;
  while (aEnd > start && bEnd > start && a[aEnd - 1] === b[bEnd - 1]) [aEnd, bEnd] = [aEnd - 1, bEnd - 1];
  const same = (lines: string[]): Line[] => lines.map((text) => ({ text, is: 'same' }));
  return [...same(a.slice(0, start)), ...middle(a.slice(start, aEnd), b.slice(start, bEnd)), ...same(a.slice(aEnd))];
}

/** By the longest sequence of lines that both have. */
function middle(a: string[], b: string[]): Line[] {
  const as = (lines: string[], is: Line['is']): Line[] => lines.map((text) => ({ text, is }));
  if (a.length * b.length > PAIRS_MAX) return [...as(a, 'out'), ...as(b, 'in')];
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] = a[i] === b[j] ? longest[(i + 1) * width + j + 1]! + 1 : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      lines.push({ text: a[i]!, is: 'same' });
      [i, j] = [i + 1, j + 1];
    } else if (longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!) lines.push({ text: a[i++]!, is: 'out' });
    else lines.push({ text: b[j++]!, is: 'in' });
  }
  return [...lines, ...as(a.slice(i), 'out'), ...as(b.slice(j), 'in')];
}

/** What changed and a few lines around it; `null` stands for lines that are left out. */
export function around(lines: Line[]): (Line | null)[] {
  const near = lines.map((_, at) => lines.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(({ is }) => is !== 'same'));
  return lines.flatMap((line, at) => (near[at] ? [line] : at === 0 || near[at - 1] ? [null] : []));
}
