import { ChevronDown, ChevronUp } from 'lucide-react';
import { useState } from 'react';

import { KindIcon } from '../kinds/icon.tsx';
import { wordsOf } from '../kinds/shapes.ts';
import { IconButton } from '../shell/button.tsx';
import styles from './legend.module.css';
import { counts, type Graph, plain } from './model.ts';
import type { Frame } from './painter.ts';
import type { Scene } from './scene.ts';

/** Types of things and kinds of relations that are drawn pale. */
export interface Faded {
  types: ReadonlySet<string>;
  kinds: ReadonlySet<string>;
}

export const NOTHING_FADED: Faded = { types: new Set(), kinds: new Set() };
/** Where it would cover half of the drawing it is folded at first. */
const NARROW = '(max-width: 599px)';
/** Rows of each part; the rest is said. */
const ROWS_MAX = 12;

/** What is drawn pale, by places in a scene. A line is, if all that it stands for is, or an end of it. */
export function fades({ types, kinds }: Faded, scene: Scene): Frame['faded'] {
  const thing = (at: number) => types.has(scene.things[at]!.type);
  const line = (at: number) => thing(scene.froms[at]!) || thing(scene.tos[at]!) || scene.lines[at]!.ties.every(({ kind }) => kinds.has(kind));
  return { thing, line };
}

/** Which types and kinds are there, how many of each; pressing one draws it pale. */
export function Legend({ graph, faded, onFade }: { graph: Graph; faded: Faded; onFade: (faded: Faded) => void }) {
  const [open, setOpen] = useState(() => !matchMedia(NARROW).matches);
  const all = plain(graph);
  const types = counts(all.things, ({ type }) => type);
  const kinds = counts(all.ties, ({ kind }) => kind, ({ relations }) => relations);
  const toggled = (set: ReadonlySet<string>, word: string) => {
    const next = new Set(set);
    if (!next.delete(word)) next.add(word);
    return next;
  };
  return (
    <section className={styles.legend} aria-label="Legend">
      <header>
        <h2>Legend</h2>
        <IconButton label={open ? 'Fold the legend' : 'Unfold the legend'} onPress={() => setOpen(!open)}>{open ? <ChevronDown size={14} /> : <ChevronUp size={14} />}</IconButton>
      </header>
      {open && (
        <>
          <Rows all={types} faded={faded.types} sign={(type) => <KindIcon type={type} size={16} />} onPress={(type) => onFade({ ...faded, types: toggled(faded.types, type) })} />
          {kinds.length > 0 && <Rows all={kinds} faded={faded.kinds} sign={() => <span className={styles.line} aria-hidden />} onPress={(kind) => onFade({ ...faded, kinds: toggled(faded.kinds, kind) })} />}
        </>
      )}
    </section>
  );
}

function Rows({ all, faded, sign, onPress }: { all: [string, number][]; faded: ReadonlySet<string>; sign: (word: string) => React.ReactNode; onPress: (word: string) => void }) {
  return (
    <ul>
      {all.slice(0, ROWS_MAX).map(([word, count]) => (
        <li key={word}>
          <button type="button" aria-pressed={!faded.has(word)} title={faded.has(word) ? 'Show again' : 'Draw pale'} onClick={() => onPress(word)}>
            {sign(word)}<span>{wordsOf(word)}</span><b>{count.toLocaleString('en')}</b>
          </button>
        </li>
      ))}
      {all.length > ROWS_MAX && <li className={styles.more}>and {all.length - ROWS_MAX} more; see the table</li>}
    </ul>
  );
}
