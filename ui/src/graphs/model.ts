// A working graph as plain values: what is on it, each change as a step forward and back. No React, no canvas, no network.

/** A relation's kind, a direction, and to how many things it leads. */
export interface KindCount {
  kind: string;
  direction: 'OUT' | 'IN' | 'BOTH';
  count: number;
}

export interface Thing {
  id: string;
  type: string;
  /** The canonical type that a source declared. */
  base: string | null;
  title: string;
  status: string;
  x: number;
  y: number;
  pinned: boolean;
  /** To how many things it leads, drawn or not. */
  degree: number;
  kinds?: KindCount[];
  /** What stands for several things has them here, as they were. */
  members?: { things: Thing[]; ties: Tie[] };
}

/** The relations of one kind from one thing to another. */
export interface Tie {
  from: string;
  to: string;
  kind: string;
  relations: number;
  weight: number | null;
}

export interface Graph {
  things: ReadonlyMap<string, Thing>;
  ties: ReadonlyMap<string, Tie>;
}

/** What became of some things and ties: before and after, either of them absent. */
interface Step {
  what: string;
  things: [id: string, before: Thing | undefined, after: Thing | undefined][];
  ties: [key: string, before: Tie | undefined, after: Tie | undefined][];
}

/** A graph with all that was done to it, and all that was taken back. */
export interface Work {
  graph: Graph;
  past: readonly Step[];
  future: readonly Step[];
}

export const EMPTY: Graph = { things: new Map(), ties: new Map() };
export const begin = (graph: Graph = EMPTY): Work => ({ graph, past: [], future: [] });

export const tieKey = ({ from, to, kind }: Tie): string => `${from}\n${to}\n${kind}`;

export function graphOf(things: Iterable<Thing>, ties: Iterable<Tie>): Graph {
  const byId = new Map([...things].map((thing) => [thing.id, thing]));
  const there = [...ties].filter(({ from, to }) => byId.has(from) && byId.has(to));
  return { things: byId, ties: new Map(there.map((tie) => [tieKey(tie), tie])) };
}

/** Adds things and ties. What is there stays as it is. */
export function add(work: Work, what: string, things: Iterable<Thing>, ties: Iterable<Tie>): Work {
  const { graph } = work;
  const added = [...things].filter(({ id }) => !graph.things.has(id));
  const ids = new Set(added.map(({ id }) => id));
  const is = (id: string) => ids.has(id) || graph.things.has(id);
  const joined = [...ties].filter((tie) => is(tie.from) && is(tie.to) && !graph.ties.has(tieKey(tie)));
  return done(work, {
    what,
    things: added.map((thing) => [thing.id, undefined, thing]),
    ties: joined.map((tie) => [tieKey(tie), undefined, tie]),
  });
}

/** Takes things off, with what joins them. */
export function remove(work: Work, what: string, ids: ReadonlySet<string>): Work {
  const { things, ties } = work.graph;
  const gone = [...ids].filter((id) => things.has(id));
  return done(work, {
    what,
    things: gone.map((id) => [id, things.get(id), undefined]),
    ties: [...ties].filter(([, { from, to }]) => ids.has(from) || ids.has(to)).map(([key, tie]) => [key, tie, undefined]),
  });
}

/** Moves things; `pin` says whether they stay there when all others are arranged, and nothing leaves that as it is. */
export function move(work: Work, what: string, places: Iterable<{ id: string; x: number; y: number }>, pin?: boolean): Work {
  const moved: Step['things'] = [];
  for (const { id, x, y } of places) {
    const before = work.graph.things.get(id);
    if (!before) continue;
    const after = { ...before, x: Math.round(x), y: Math.round(y), pinned: pin ?? before.pinned };
    if (after.x !== before.x || after.y !== before.y || after.pinned !== before.pinned) moved.push([id, before, after]);
  }
  return done(work, { what, things: moved, ties: [] });
}

/** What only one thing holds: neighbours of it that lead to nothing else that is drawn. Pinned ones stay. */
export function heldBy(graph: Graph, id: string, near = neighbours(graph)): Set<string> {
  const alone = [...near.get(id) ?? []].filter((other) => near.get(other)?.size === 1 && !graph.things.get(other)?.pinned);
  return new Set(alone.filter((other) => other !== id));
}

/** Ends of one type that hang on one thing stand for themselves up to this many. */
const GROUP_FROM = 5;

/** Lets one thing stand for all of a type that only one other holds, wherever they are many. */
export function group(work: Work): Work {
  const { things, ties } = work.graph;
  const step: Step = { what: 'Group', things: [], ties: [] };
  const taken = new Set<string>();
  const near = neighbours(work.graph);
  for (const hub of things.keys()) {
    for (const [type, held] of byType(work.graph, hub, near)) {
      const own = held.filter(({ id, members }) => !taken.has(id) && !members);
      if (own.length < GROUP_FROM || taken.has(hub)) continue;
      own.forEach(({ id }) => taken.add(id));
      const ids = new Set(own.map(({ id }) => id));
      const joined = [...ties].filter(([, { from, to }]) => ids.has(from) || ids.has(to));
      const standing = standsFor(hub, type, own, joined.map(([, tie]) => tie));
      const tie: Tie = { from: hub, to: standing.id, kind: 'group', relations: own.length, weight: null };
      step.things.push(...own.map((thing): Step['things'][number] => [thing.id, thing, undefined]), [standing.id, undefined, standing]);
      step.ties.push(...joined.map(([key, one]): Step['ties'][number] => [key, one, undefined]), [tieKey(tie), undefined, tie]);
    }
  }
  return done(work, step);
}

/** Puts back what something stands for. */
export function ungroup(work: Work, id: string): Work {
  const standing = work.graph.things.get(id);
  if (!standing?.members) return work;
  const gone = [...work.graph.ties].filter(([, { from, to }]) => from === id || to === id);
  return done(work, {
    what: 'Ungroup',
    things: [[id, standing, undefined], ...standing.members.things.map((thing): Step['things'][number] => [thing.id, undefined, thing])],
    ties: [
      ...gone.map(([key, tie]): Step['ties'][number] => [key, tie, undefined]),
      ...standing.members.ties.map((tie): Step['ties'][number] => [tieKey(tie), undefined, tie]),
    ],
  });
}

function standsFor(hub: string, type: string, things: Thing[], ties: Tie[]): Thing {
  const mean = (of: (thing: Thing) => number) => Math.round(things.reduce((sum, thing) => sum + of(thing), 0) / things.length);
  const { base } = things[0]!;
  return {
    id: `${hub}\n${type}`, type, base, title: `${things.length.toLocaleString('en')} ${type}`, status: 'active', x: mean(({ x }) => x), y: mean(({ y }) => y),
    pinned: false, degree: 1, members: { things, ties },
  };
}

function byType(graph: Graph, hub: string, near: Map<string, Set<string>>): Map<string, Thing[]> {
  const types = new Map<string, Thing[]>();
  for (const id of heldBy(graph, hub, near)) {
    const thing = graph.things.get(id)!;
    types.set(thing.type, [...types.get(thing.type) ?? [], thing]);
  }
  return types;
}

/** To which things each leads, of those that are drawn. */
export function neighbours({ things, ties }: Graph): Map<string, Set<string>> {
  const near = new Map([...things.keys()].map((id) => [id, new Set<string>()]));
  for (const { from, to } of ties.values()) {
    if (from === to) continue;
    near.get(from)?.add(to);
    near.get(to)?.add(from);
  }
  return near;
}

/** How many neighbours of each are drawn; what stands for several counts as those. */
export function drawnNeighbours(graph: Graph): Map<string, number> {
  const size = (id: string) => graph.things.get(id)?.members?.things.length ?? 1;
  return new Map([...neighbours(graph)].map(([id, near]) => [id, [...near].reduce((sum, other) => sum + size(other), 0)]));
}

/** All things and ties, those that others stand for instead of what stands for them. */
export function plain({ things, ties }: Graph): { things: Thing[]; ties: Tie[] } {
  const standing = [...things.values()].flatMap(({ members }) => members ?? []);
  return {
    things: [...things.values()].flatMap((thing) => thing.members?.things ?? [thing]),
    ties: [...ties.values()].filter(({ from, to }) => !things.get(from)?.members && !things.get(to)?.members).concat(standing.flatMap((one) => one.ties)),
  };
}

export function undo(work: Work): Work {
  const step = work.past.at(-1);
  if (!step) return work;
  return { graph: applied(work.graph, step, true), past: work.past.slice(0, -1), future: [...work.future, step] };
}

export function redo(work: Work): Work {
  const step = work.future.at(-1);
  if (!step) return work;
  return { graph: applied(work.graph, step, false), past: [...work.past, step], future: work.future.slice(0, -1) };
}

function done(work: Work, step: Step): Work {
  if (step.things.length === 0 && step.ties.length === 0) return work;
  return { graph: applied(work.graph, step, false), past: [...work.past, step], future: [] };
}

/** The graph after a step, or before it. The order of things and ties is that in which they were added. */
function applied({ things, ties }: Graph, step: Step, back: boolean): Graph {
  return { things: changed(things, step.things, back), ties: changed(ties, step.ties, back) };
}

function changed<T>(all: ReadonlyMap<string, T>, changes: [string, T | undefined, T | undefined][], back: boolean): ReadonlyMap<string, T> {
  if (changes.length === 0) return all;
  const next = new Map(all);
  for (const [key, before, after] of changes) {
    const value = back ? before : after;
    if (value === undefined) next.delete(key);
    else next.set(key, value);
  }
  return next;
}

/** What the node is told is drawn: a line for each thing, those that others stand for included. */
export function written(graph: Graph): string {
  return plain(graph).things.map(({ id, x, y, pinned }) => `${id}\t${x}\t${y}${pinned ? '\tp' : ''}`).join('\n');
}

export type Way = 'left' | 'right' | 'up' | 'down';

/** The thing that is nearest in a direction: what lies rather that way than aside, and else whatever does at all. */
export function nearest({ things }: Graph, from: { x: number; y: number }, way: Way, except?: string): Thing | undefined {
  const [right, down] = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] }[way] as [number, number];
  let best: Thing | undefined;
  let least = Infinity;
  for (const thing of things.values()) {
    const [x, y] = [thing.x - from.x, thing.y - from.y];
    const ahead = x * right + y * down;
    const aside = Math.abs(x * down) + Math.abs(y * right);
    if (thing.id === except || ahead <= 0) continue;
    const far = Math.hypot(ahead, aside * 2) + (aside > ahead ? 1e9 : 0);
    if (far < least) [best, least] = [thing, far];
  }
  return best;
}

/** How many of each there are, most first: for the legend. */
export function counts<T>(all: Iterable<T>, of: (one: T) => string, size: (one: T) => number = () => 1): [string, number][] {
  const found = new Map<string, number>();
  for (const one of all) found.set(of(one), (found.get(of(one)) ?? 0) + size(one));
  return [...found].sort((one, other) => other[1] - one[1] || one[0].localeCompare(other[0]));
}

/** Ties between one pair, whatever their kind, are drawn as one line. */
export interface Line {
  from: string;
  to: string;
  ties: Tie[];
  relations: number;
  /** There are ties in the other direction, too. */
  both: boolean;
}

export function lines({ ties }: Graph): Line[] {
  const byPair = new Map<string, Line>();
  for (const tie of ties.values()) {
    const [one, other] = tie.from < tie.to ? [tie.from, tie.to] : [tie.to, tie.from];
    const key = `${one}\n${other}`;
    const line = byPair.get(key);
    if (!line) {
      byPair.set(key, { from: tie.from, to: tie.to, ties: [tie], relations: tie.relations, both: false });
      continue;
    }
    line.ties.push(tie);
    line.relations += tie.relations;
    line.both ||= tie.from !== line.from;
  }
  return [...byPair.values()];
}
