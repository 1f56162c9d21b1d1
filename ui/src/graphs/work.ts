// What somebody does with a graph: steps that ask the node, steps that do not, and what has to be said of them.

import { useCallback, useEffect, useRef, useState } from 'react';

import { type Data, GatewayError, run } from '../gateway/run.ts';
import {
  add, type Graph, graphOf, group, heldBy, move, redo, remove, type Thing, type Tie, undo, ungroup, type Work, written,
} from './model.ts';

/** More than this on a graph are refused; pictures become dots, and groups are proposed, well before. */
export const THINGS_MAX = 20_000;
export const GROUPS_FROM = 300;
/** Steps with so many neighbours are taken without asking. */
export const ASK_FROM = 25;
const SAID_MS = 6_000;

export type Order = 'STRONGEST' | 'NEWEST' | 'MOST_CONNECTED' | 'LEAST_CONNECTED';
export interface Wish {
  kind: string;
  direction: 'OUT' | 'IN';
}

/** What a step left out, and stays said until the next. */
export interface Cut {
  id: string;
  title: string;
  shown: number;
  of: number;
}

interface Drawn {
  nodes: Data<'graphAdd:v1'>['graphAdd']['nodes'];
  edges: Tie[] | null;
  truncated: boolean;
}

export interface Doing {
  work: Work;
  /** What is shown: the work, or how it was at a time. */
  graph: Graph;
  /** Of a time that is past: nothing can be changed. */
  isPast: boolean;
  busy: boolean;
  cut: Cut | null;
  truncated: boolean;
  said: string;
  failed: GatewayError | null;
  dismiss: () => void;
  add: (ids: string[], near?: string) => Promise<void>;
  expand: (id: string, how?: { among?: Wish[]; order?: Order; first?: number }) => Promise<void>;
  path: (from: string, to: string) => Promise<string[]>;
  arrange: () => Promise<void>;
  hide: (ids: ReadonlySet<string>) => void;
  collapse: (id: string) => void;
  group: () => void;
  ungroup: (id: string) => void;
  drag: (places: { id: string; x: number; y: number }[]) => void;
  pin: (ids: ReadonlySet<string>, pinned: boolean) => void;
  undo: () => void;
  redo: () => void;
}

const thingOf = (node: Drawn['nodes'][number] | Omit<Drawn['nodes'][number], 'kinds'>): Thing => node;

export function graphFrom(drawn: { nodes: Omit<Drawn['nodes'][number], 'kinds'>[]; edges: Tie[] | null }): Graph {
  return graphOf(drawn.nodes.map(thingOf), drawn.edges ?? []);
}

export function useDoing(initial: Work, asOf: string | undefined): Doing {
  const [work, setWork] = useState(initial);
  const [past, setPast] = useState<Graph | null>(null);
  const [state, setState] = useState({ busy: false, cut: null as Cut | null, truncated: false, said: '', failed: null as GatewayError | null });
  const now = useRef(work);
  now.current = work;
  const say = useCallback((more: Partial<typeof state>) => setState((before) => ({ ...before, ...more })), []);

  /** Asks the node, one question at a time: the next begins with what this one brought. */
  const turn = useRef(Promise.resolve());
  const ask = useCallback(<T>(question: () => Promise<T>): Promise<T | undefined> => {
    const mine = turn.current.then(async () => {
      say({ busy: true, failed: null });
      try {
        return await question();
      } catch (error) {
        say({ failed: error instanceof GatewayError ? error : new GatewayError('failed', (error as Error).message) });
        return undefined;
      } finally {
        say({ busy: false });
      }
    });
    turn.current = mine.then(() => undefined);
    return mine;
  }, [say]);

  // What was done is said for a while; what is left out stays said.
  useEffect(() => {
    const timer = state.said && setTimeout(() => say({ said: '' }), SAID_MS);
    return () => clearTimeout(timer || undefined);
  }, [state.said, say]);

  const step = useCallback((next: (before: Work) => Work, said?: string) => {
    now.current = next(now.current);
    setWork(now.current);
    if (said !== undefined) say({ said });
  }, [say]);

  useEffect(() => {
    if (!asOf) {
      setPast(null);
      return;
    }
    void ask(async () => {
      const { data } = await run('graphShow:v1', { nodes: written(now.current.graph), asOf });
      setPast(graphFrom(data.graphShow));
    });
  }, [asOf, ask]);

  const take = (what: string, drawn: Drawn, cut: Cut | null) => {
    const room = THINGS_MAX - now.current.graph.things.size;
    if (drawn.nodes.length > room) {
      say({ said: `A graph has at most ${THINGS_MAX.toLocaleString('en')} things; hide some, or begin another` });
      return;
    }
    step((before) => add(before, what, drawn.nodes.map(thingOf), drawn.edges ?? []));
    const count = drawn.nodes.length;
    say({ cut, truncated: drawn.truncated, said: count ? `${count} ${count === 1 ? 'thing' : 'things'} added` : 'Nothing new to add' });
  };

  return {
    work, graph: past ?? work.graph, isPast: Boolean(asOf), ...state,
    dismiss: () => say({ cut: null, truncated: false, failed: null }),
    add: async (ids, near) => {
      await ask(async () => {
        const { data } = await run('graphAdd:v1', { ids, near, nodes: written(now.current.graph) });
        take('Add', data.graphAdd, null);
      });
    },
    expand: async (id, how = {}) => {
      await ask(async () => {
        const began = performance.now();
        const { data } = await run('graphExpand:v1', { id, nodes: written(now.current.graph), ...how });
        const found = data.graphExpand;
        const title = now.current.graph.things.get(id)?.title ?? id;
        if (!found) return say({ said: `${title} is not here any more, or not visible to you` });
        take('Expand', found, found.rest > 0 ? { id, title, shown: found.of - found.rest, of: found.of } : null);
        performance.measure('ig:graph:expand', { start: began });
      });
    },
    path: async (from, to) => {
      const found = await ask(async () => {
        const { data } = await run('paths:v2', { from, to, depth: 4 });
        const path = data.paths?.paths[0];
        if (!path) {
          say({ said: 'No path of at most 4 steps' });
          return [];
        }
        const added = await run('graphAdd:v1', { ids: path, near: from, nodes: written(now.current.graph) });
        take('Path', added.data.graphAdd, null);
        return path;
      });
      return found ?? [];
    },
    arrange: async () => {
      await ask(async () => {
        const { data } = await run('graphArrange:v1', { nodes: written(now.current.graph) });
        step((before) => move(before, 'Arrange', data.graphArrange), 'Arranged; what is pinned stayed');
      });
    },
    hide: (ids) => step((before) => remove(before, 'Hide', ids), `${ids.size} hidden`),
    collapse: (id) => {
      const held = heldBy(now.current.graph, id);
      if (held.size === 0) say({ said: 'Nothing hangs on this alone' });
      else step((before) => remove(before, 'Collapse', held), `${held.size} hidden that only this held`);
    },
    group: () => {
      const before = now.current.graph.things.size;
      step(group);
      say({ said: now.current.graph.things.size < before ? 'Grouped' : 'Nothing to group: no five of a type hang on one thing' });
    },
    ungroup: (id) => step((before) => ungroup(before, id), 'Ungrouped'),
    drag: (places) => step((before) => move(before, 'Move', places, true)),
    pin: (ids, pinned) => step((before) => {
      const places = [...ids].map((id) => before.graph.things.get(id)).filter((thing) => thing !== undefined);
      return move(before, pinned ? 'Pin' : 'Unpin', places, pinned);
    }, pinned ? 'Pinned' : 'Unpinned'),
    undo: () => {
      const last = now.current.past.at(-1);
      if (last) step(undo, `Taken back: ${last.what.toLowerCase()}`);
    },
    redo: () => {
      const next = now.current.future.at(-1);
      if (next) step(redo, `Done again: ${next.what.toLowerCase()}`);
    },
  };
}
