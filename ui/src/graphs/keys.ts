// Keys of the graph, in both of its views.

import { type RefObject, useRef } from 'react';

import { type Key, useKeys } from '../shell/keys.ts';
import type { Drawing } from './hands.ts';
import { nearest, neighbours, type Way } from './model.ts';
import type { Scene } from './scene.ts';
import type { Doing } from './work.ts';
import { type Chosen, NOTHING, one } from './workbench.tsx';

export interface Bench {
  doing: Doing;
  chosen: Chosen;
  choose: (next: Chosen) => void;
  expand: (id: string) => void;
  drawing: RefObject<Drawing | null>;
  shows: 'graph' | 'table';
  show: (to: 'graph' | 'table') => void;
  scene: Scene;
}

const WAYS: [string, Way][] = [['ArrowLeft', 'left'], ['ArrowRight', 'right'], ['ArrowUp', 'up'], ['ArrowDown', 'down']];

export function useGraphKeys(bench: Bench) {
  const { doing, chosen, choose, expand, drawing, shows, show } = bench;
  const focus = chosen.focus;
  const hub = useRef<Hub | null>(null);
  const key = (key: string, does: string, run: Key['run']): Key => ({ key, does, run });
  const changing = doing.isPast ? [] : [
    key('e', 'Expand: its neighbours', () => focus && expand(focus)),
    key('x', 'Collapse: hide what only it holds', () => focus && doing.collapse(focus)),
    key('p', 'Path between the two chosen', () => void pathBetween(bench)),
    key('h', 'Hide what is chosen', () => hideChosen(bench)),
    key('z', 'Undo', doing.undo),
    key('Z', 'Redo', doing.redo),
  ];
  useKeys('Graph', [
    ...changing,
    key('t', 'Table or graph', () => show(shows === 'graph' ? 'table' : 'graph')),
    ...(shows === 'graph' ? [
      key('f', 'Fit all in', () => drawing.current?.fit()),
      key('+', 'Nearer', () => drawing.current?.nearer(1.4)),
      key('-', 'Farther', () => drawing.current?.nearer(1 / 1.4)),
      ...WAYS.flatMap(([name, way]) => [
        key(name, `Nearest thing ${way}`, (event) => go(bench, way, event.shiftKey)),
      ]),
      key(']', 'Next neighbour', () => round(bench, hub, 1)),
      key('[', 'Neighbour before', () => round(bench, hub, -1)),
    ] : []),
    key('Escape', 'Choose nothing', () => choose(NOTHING)),
  ]);
}

/** To the nearest thing that way; `more` keeps what is chosen. */
function go({ doing, chosen, choose, drawing }: Bench, way: Way, more: boolean) {
  const from = chosen.focus ? doing.graph.things.get(chosen.focus) : undefined;
  const to = from ? nearest(doing.graph, from, way, from.id) : [...doing.graph.things.values()][0];
  if (!to) return;
  choose(more ? { things: new Set([...chosen.things, to.id]), focus: to.id, line: null } : one(to.id));
  drawing.current?.reveal(to.id);
}

/** A thing whose neighbours are gone through, and how far that went. */
interface Hub {
  id: string;
  at: number;
}

function round({ doing, chosen, choose, drawing }: Bench, hub: RefObject<Hub | null>, by: number) {
  if (!chosen.focus) return;
  const all = neighbours(doing.graph);
  if (!hub.current || !all.get(hub.current.id)?.has(chosen.focus)) hub.current = { id: chosen.focus, at: -1 };
  const near = [...all.get(hub.current.id) ?? []].sort();
  if (near.length === 0) return;
  hub.current.at = (hub.current.at + by + near.length) % near.length;
  const to = near[hub.current.at]!;
  choose(one(to));
  drawing.current?.reveal(to);
}

export async function pathBetween({ doing, chosen, choose }: Bench) {
  const [from, to] = [...chosen.things];
  if (!from || !to || chosen.things.size !== 2) return;
  const path = await doing.path(from, to);
  if (path.length) choose({ things: new Set(path), focus: to, line: null });
}

export function hideChosen({ doing, chosen, choose }: Bench) {
  if (chosen.things.size === 0) return;
  doing.hide(chosen.things);
  choose(NOTHING);
}
