import { type KeyboardEvent, useEffect, useMemo, useRef } from 'react';

import { KindIcon } from '../kinds/icon.tsx';
import { wordsOf } from '../kinds/shapes.ts';
import styles from './canvas.module.css';
import { Drawing } from './hands.ts';
import type { Bench } from './keys.ts';
import type { Faded } from './legend.tsx';
import { drawnNeighbours } from './model.ts';
import type { Colours, Frame } from './painter.ts';
import { type Sign, signOf, Sprites } from './sprites.ts';
import { useDark } from './theme.ts';
import { NOTHING, one } from './workbench.tsx';

interface Props extends Bench {
  faded: Frame['faded'];
  fadedBy: Faded;
}

/** The drawing: one stop of the tab key, in which arrows go from thing to thing. What is focused is said. */
export function Canvas({ doing, chosen, choose, expand, drawing, scene, faded, fadedBy }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const icons = useRef<HTMLDivElement>(null);
  const dark = useDark();
  const types = useMemo(() => [...new Set(scene.things.map(({ type }) => type))].sort(), [scene]);
  // What is done with a pointer is told to whoever is there by then.
  const latest = useRef({ doing, chosen, choose, expand, scene });
  latest.current = { doing, chosen, choose, expand, scene };

  useEffect(() => {
    const made = new Drawing(canvas.current!, {
      pick: ({ thing, line }, more) => pick(latest.current, thing, line, more),
      box: (ids) => latest.current.choose({ things: new Set(ids), focus: ids[0] ?? null, line: null }),
      moved: (places) => latest.current.doing.drag(places),
      open: (thing) => latest.current.expand(thing),
    });
    drawing.current = made;
    return () => {
      made.end();
      drawing.current = null;
    };
  }, [drawing]);

  // Pictures are drawn once for each type and theme.
  const sprites = useRef<{ key: string; colours: Colours; sprites: Sprites } | null>(null);
  useEffect(() => {
    const key = `${dark} ${types.join()}`;
    if (sprites.current?.key !== key) sprites.current = { key, colours: coloursOf(canvas.current!), sprites: new Sprites(signs(icons.current!), dark) };
    if (drawing.current) drawing.current.frozen = doing.isPast;
    drawing.current?.show(scene, { ...sprites.current, faded });
  }, [scene, types, dark, fadedBy, doing.isPast]);

  useEffect(() => {
    const line = chosen.line && scene.lines.findIndex(({ from, to }) => isPair(chosen.line!, from, to));
    drawing.current?.choose({ things: chosen.things, focus: chosen.focus, line: line === null || line < 0 ? null : line });
  }, [chosen, scene, drawing]);

  // Once, when there is something to be seen; later nobody's view is moved.
  const fitted = useRef(false);
  useEffect(() => {
    if (fitted.current || scene.things.length === 0) return;
    fitted.current = true;
    drawing.current?.fit();
  }, [scene, drawing]);

  const keys = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && chosen.focus) expand(chosen.focus);
  };
  return (
    <div className={styles.frame}>
      <canvas ref={canvas} className={styles.canvas} tabIndex={0} role="application" aria-label={`Drawing of ${scene.things.length.toLocaleString('en')} things. Arrows go from thing to thing, e shows neighbours, t shows a table.`} onKeyDown={keys} />
      <div role="status" className={styles.spoken}>{spoken(chosen.focus, doing)}</div>
      <div ref={icons} hidden aria-hidden>{types.map((type) => <span key={type} data-type={type}><KindIcon type={type} /></span>)}</div>
    </div>
  );
}

type Latest = Pick<Bench, 'doing' | 'chosen' | 'choose' | 'expand' | 'scene'>;

function pick({ chosen, choose, scene }: Latest, thing: string | undefined, line: number | undefined, more: boolean) {
  if (line !== undefined) {
    const { from, to } = scene.lines[line]!;
    choose({ things: new Set(), focus: null, line: { from, to } });
  } else if (thing === undefined) {
    if (!more) choose(NOTHING);
  } else if (more) {
    const things = new Set(chosen.things);
    if (!things.delete(thing)) things.add(thing);
    choose({ things, focus: things.has(thing) ? thing : [...things].at(-1) ?? null, line: null });
  } else choose(one(thing));
}

export const isPair = (line: { from: string; to: string }, from: string, to: string) =>
  (line.from === from && line.to === to) || (line.from === to && line.to === from);

function spoken(focus: string | null, { graph }: Bench['doing']): string {
  const thing = focus ? graph.things.get(focus) : undefined;
  if (!thing) return '';
  const near = drawnNeighbours(graph).get(thing.id) ?? 0;
  return `${thing.title}, ${wordsOf(thing.type)}, ${near} of ${thing.degree} neighbours drawn${thing.pinned ? ', pinned' : ''}`;
}

function signs(icons: HTMLElement): Map<string, Sign> {
  const found = icons.querySelectorAll<HTMLElement>('[data-type]');
  return new Map([...found].map((icon) => [icon.dataset.type!, signOf(icon.querySelector('svg')!)]));
}

/** The page's colours, as a canvas understands them. */
function coloursOf(element: HTMLElement): Colours {
  const probe = element.ownerDocument.createElement('span');
  element.parentElement!.append(probe);
  const read = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    background: read('--canvas'), line: read('--line-strong'), text: read('--text'), faint: read('--text-2'), accent: read('--accent'),
    font: getComputedStyle(probe).fontFamily,
  };
  probe.remove();
  return colours;
}
