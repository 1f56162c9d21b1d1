// A graph made ready to be drawn: numbers in rows instead of objects, and who is where. Made anew when the graph changes, not when
// somebody looks elsewhere.

import { type Quadtree, quadtree } from 'd3-quadtree';

import { type Kind, kindOf } from '../kinds/shapes.ts';
import { drawnNeighbours, type Graph, type Line, lines, type Thing } from './model.ts';

export interface Scene {
  things: Thing[];
  place: Map<string, number>;
  xs: Float64Array;
  ys: Float64Array;
  kinds: Kind[];
  /** Half of what each takes, in pixels of the drawing. */
  radii: Float64Array;
  /** To how many things each leads that are not drawn. */
  rest: Int32Array;
  lines: Line[];
  /** By places in `things`. */
  froms: Int32Array;
  tos: Int32Array;
  /** Places in `things`, those with the most neighbours first: they get their names first. */
  byDegree: Int32Array;
}

/** A kind that the type was declared to be, else the one that it is known as. */
export const kindOfThing = ({ base, type }: Thing): Kind => (base ? base.toLowerCase() as Kind : kindOf(type));

export function sceneOf(graph: Graph): Scene {
  const things = [...graph.things.values()];
  const place = new Map(things.map((thing, at) => [thing.id, at]));
  const near = drawnNeighbours(graph);
  const drawn = lines(graph);
  const order = things.map((_, at) => at).sort((one, other) => things[other]!.degree - things[one]!.degree || one - other);
  return {
    things,
    place,
    xs: Float64Array.from(things, ({ x }) => x),
    ys: Float64Array.from(things, ({ y }) => y),
    kinds: things.map(kindOfThing),
    radii: Float64Array.from(things, ({ degree }) => radius(degree)),
    rest: Int32Array.from(things, ({ id, degree, members }) => (members ? 0 : Math.max(0, degree - (near.get(id) ?? 0)))),
    lines: drawn,
    froms: Int32Array.from(drawn, ({ from }) => place.get(from)!),
    tos: Int32Array.from(drawn, ({ to }) => place.get(to)!),
    byDegree: Int32Array.from(order),
  };
}

/** Three sizes: a hub is seen to be one, and a picture is kept for each size. */
export function radius(degree: number): number {
  return degree >= 200 ? 22 : degree >= 20 ? 18 : 14;
}

/** The thing at a point of the drawing. */
export class Finder {
  readonly #tree: Quadtree<number>;
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
    const all = Array.from(scene.things, (_, at) => at);
    this.#tree = quadtree<number>().x((at) => scene.xs[at]!).y((at) => scene.ys[at]!).addAll(all);
  }

  /** `reach` is how far beside it one may point. */
  thing(x: number, y: number, reach: number): number | undefined {
    const at = this.#tree.find(x, y, 22 + reach);
    if (at === undefined) return undefined;
    const { xs, ys, radii } = this.#scene;
    return Math.hypot(xs[at]! - x, ys[at]! - y) <= radii[at]! + reach ? at : undefined;
  }

  line(x: number, y: number, reach: number): number | undefined {
    const { froms, tos, xs, ys } = this.#scene;
    let best: number | undefined;
    let least = reach;
    for (let at = 0; at < froms.length; at += 1) {
      const far = toSegment(x, y, xs[froms[at]!]!, ys[froms[at]!]!, xs[tos[at]!]!, ys[tos[at]!]!);
      if (far < least) [best, least] = [at, far];
    }
    return best;
  }
}

function toSegment(x: number, y: number, x1: number, y1: number, x2: number, y2: number): number {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const along = Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x1 - along * dx, y - y1 - along * dy);
}

export interface Bounds {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** What the things take, with their names. */
export function bounds({ xs, ys }: Scene): Bounds {
  const all = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (let at = 0; at < xs.length; at += 1) {
    all.left = Math.min(all.left, xs[at]! - 64);
    all.right = Math.max(all.right, xs[at]! + 64);
    all.top = Math.min(all.top, ys[at]! - 32);
    all.bottom = Math.max(all.bottom, ys[at]! + 56);
  }
  return xs.length ? all : { left: -200, top: -200, right: 200, bottom: 200 };
}
