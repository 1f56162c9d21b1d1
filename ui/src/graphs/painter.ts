// Draws a scene on a canvas, without a GPU: pictures up to a thousand things in sight, dots beyond; what is slow to draw waits until
// nothing moves.

import { dots } from './dots.ts';
import type { Bounds, Scene } from './scene.ts';
import type { Sprites } from './sprites.ts';

/** Above so many things edges and names are left out while something moves. */
export const STILL_FROM = 500;
/** Above so many things in sight they are dots. */
export const DOTS_FROM = 1_000;
/** Lines that are drawn before the browser may do something else. */
const LINES_AT_ONCE = 4_000;
/** Names are kept apart by cells of the screen: of so many pixels. */
const NAME_CELL = { width: 12, height: 17 };
const NAMES_MAX = 250;
/** Nearer than this names and what is left out are written, in pixels of the screen for each of the drawing. */
const NAMES_FROM = 0.45;
/** Lines that end at what is chosen say their kind, if they are no more than these. */
const TIE_NAMES_MAX = 12;

export interface Colours {
  background: string;
  line: string;
  text: string;
  faint: string;
  accent: string;
  font: string;
}

/** Where somebody looks: the screen's place of a point is `point * k + (x, y)`. */
export interface View {
  k: number;
  x: number;
  y: number;
}

export interface Picked {
  things: ReadonlySet<string>;
  focus: string | null;
  /** The place of a line in the scene. */
  line: number | null;
}

export interface Frame {
  scene: Scene;
  view: View;
  width: number;
  height: number;
  /** Device pixels for each of the page. */
  density: number;
  colours: Colours;
  sprites: Sprites;
  picked: Picked;
  /** By places in the scene: drawn pale. */
  faded: { thing: (at: number) => boolean; line: (at: number) => boolean };
  moving: boolean;
}

const PALE = 0.18;

/** Draws a frame. Gives back what is still to be drawn if it is much, a piece for each call, until that says that it is done. */
export function paint(context: CanvasRenderingContext2D, frame: Frame): (() => boolean) | null {
  const { scene, moving } = frame;
  const seen = inSight(frame);
  const isMuch = scene.things.length > STILL_FROM;
  if (seen.length > DOTS_FROM && moving) {
    dots(context, frame, seen, true);
    rings(context, frame);
    return null;
  }
  begin(context, frame);
  if (moving && isMuch) {
    nodes(context, frame, seen);
    rings(context, frame);
    return null;
  }
  const drawn = edges(context, frame);
  const rest = () => {
    begin(context, frame, false);
    if (seen.length > DOTS_FROM) dots(context, frame, seen, false);
    else nodes(context, frame, seen);
    rings(context, frame);
    names(context, frame, seen);
    tieNames(context, frame);
  };
  if (drawn()) {
    rest();
    return null;
  }
  // Nodes come at once, and again on top of the lines when those are done.
  rest();
  return () => {
    begin(context, frame, false);
    if (!drawn()) return false;
    rest();
    return true;
  };
}

function begin(context: CanvasRenderingContext2D, { width, height, density, colours }: Frame, clear = true) {
  context.setTransform(density, 0, 0, density, 0, 0);
  context.globalAlpha = 1;
  context.setLineDash([]);
  if (!clear) return;
  context.fillStyle = colours.background;
  context.fillRect(0, 0, width, height);
}

/** Places of the things that are in sight. */
function inSight({ scene: { xs, ys }, view, width, height }: Frame): Int32Array {
  const around = 24 / view.k;
  const [left, top] = [-view.x / view.k - around, -view.y / view.k - around];
  const [right, bottom] = [(width - view.x) / view.k + around, (height - view.y) / view.k + around];
  const seen = new Int32Array(xs.length);
  let count = 0;
  for (let at = 0; at < xs.length; at += 1) {
    const [x, y] = [xs[at]!, ys[at]!];
    if (x >= left && x <= right && y >= top && y <= bottom) seen[count++] = at;
  }
  return seen.subarray(0, count);
}

function nodes(context: CanvasRenderingContext2D, { scene, view, sprites, faded, colours }: Frame, seen: Int32Array) {
  const { xs, ys, radii, kinds, things, rest } = scene;
  for (const at of seen) {
    const thing = things[at]!;
    const [x, y] = [xs[at]! * view.k + view.x, ys[at]! * view.k + view.y];
    const radius = Math.max(3, radii[at]! * Math.min(view.k, 1.6));
    context.globalAlpha = faded.thing(at) ? PALE : thing.status === 'active' ? 1 : 0.55;
    context.drawImage(sprites.of(kinds[at]!, thing.type, radii[at]!), x - radius, y - radius, radius * 2, radius * 2);
    if (thing.pinned && view.k >= NAMES_FROM) {
      context.fillStyle = colours.accent;
      context.fillRect(x - 2, y - radius - 5, 4, 4);
    }
    if (rest[at]! > 0 && view.k >= NAMES_FROM) badge(context, `+${rest[at]!.toLocaleString('en')}`, x + radius * 0.7, y - radius * 0.8, colours);
  }
  context.globalAlpha = 1;
}

/** How many are not drawn, beside the thing that leads to them. */
function badge(context: CanvasRenderingContext2D, text: string, x: number, y: number, colours: Colours) {
  context.font = `600 10px ${colours.font}`;
  const width = context.measureText(text).width + 8;
  context.fillStyle = colours.background;
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.beginPath();
  context.roundRect(x, y - 7, width, 14, 7);
  context.fill();
  context.stroke();
  context.fillStyle = colours.faint;
  context.textAlign = 'left';
  context.fillText(text, x + 4, y + 3.5);
}

/** Draws lines, as many as may be at once for each call; says whether all are drawn. */
function edges(context: CanvasRenderingContext2D, frame: Frame): () => boolean {
  const { scene, view, colours, faded, picked } = frame;
  const { froms, tos, xs, ys, lines, radii } = scene;
  const place = (all: Float64Array, at: number, shift: number) => all[at]! * view.k + shift;
  let next = 0;
  return () => {
    const end = Math.min(lines.length, next + LINES_AT_ONCE);
    const plain = new Path2D();
    const pale = new Path2D();
    const chosen = new Path2D();
    const heads = new Path2D();
    for (; next < end; next += 1) {
      const [from, to] = [froms[next]!, tos[next]!];
      const [x1, y1, x2, y2] = [place(xs, from, view.x), place(ys, from, view.y), place(xs, to, view.x), place(ys, to, view.y)];
      if (isOutside(x1, y1, x2, y2, frame)) continue;
      const line = lines[next]!;
      const isPicked = picked.line === next || picked.things.has(line.from) || picked.things.has(line.to);
      const path = faded.line(next) ? pale : isPicked ? chosen : plain;
      path.moveTo(x1, y1);
      path.lineTo(x2, y2);
      if (view.k >= NAMES_FROM && path !== pale) {
        head(heads, x1, y1, x2, y2, radii[to]! * Math.min(view.k, 1.6));
        if (line.both) head(heads, x2, y2, x1, y1, radii[from]! * Math.min(view.k, 1.6));
      }
    }
    context.lineWidth = 1;
    context.strokeStyle = colours.line;
    context.globalAlpha = PALE * 2;
    context.stroke(pale);
    // So many lines would hide what they join.
    context.globalAlpha = Math.min(1, Math.max(0.12, 500 / lines.length));
    context.stroke(plain);
    context.globalAlpha = 1;
    context.fillStyle = colours.line;
    context.fill(heads);
    context.strokeStyle = colours.accent;
    context.lineWidth = 1.5;
    context.stroke(chosen);
    return next >= lines.length;
  };
}

function isOutside(x1: number, y1: number, x2: number, y2: number, { width, height }: Frame): boolean {
  return (x1 < 0 && x2 < 0) || (y1 < 0 && y2 < 0) || (x1 > width && x2 > width) || (y1 > height && y2 > height);
}

/** An arrow's head at the edge of what it points to. */
function head(path: Path2D, x1: number, y1: number, x2: number, y2: number, radius: number) {
  const length = Math.hypot(x2 - x1, y2 - y1);
  if (length < radius * 2 + 10) return;
  const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
  const [x, y] = [x2 - dx * (radius + 2), y2 - dy * (radius + 2)];
  path.moveTo(x, y);
  path.lineTo(x - dx * 8 - dy * 3.5, y - dy * 8 + dx * 3.5);
  path.lineTo(x - dx * 8 + dy * 3.5, y - dy * 8 - dx * 3.5);
  path.closePath();
}

function rings(context: CanvasRenderingContext2D, { scene, view, picked, colours }: Frame) {
  const { place, xs, ys, radii } = scene;
  context.globalAlpha = 1;
  context.strokeStyle = colours.accent;
  const chosen = picked.focus && !picked.things.has(picked.focus) ? [...picked.things, picked.focus] : [...picked.things];
  for (const id of chosen) {
    const at = place.get(id);
    if (at === undefined) continue;
    context.lineWidth = id === picked.focus ? 3 : 2;
    context.beginPath();
    context.arc(xs[at]! * view.k + view.x, ys[at]! * view.k + view.y, Math.max(6, radii[at]! * Math.min(view.k, 1.6) + 4), 0, Math.PI * 2);
    context.stroke();
  }
}

/** Names below their things, the best connected first; none where another is. What is chosen is always named. */
function names(context: CanvasRenderingContext2D, frame: Frame, seen: Int32Array) {
  const { scene, view, colours, picked, faded } = frame;
  const { xs, ys, radii, things, byDegree } = scene;
  const isFar = view.k < NAMES_FROM || seen.length > DOTS_FROM;
  const sight = new Set(seen);
  const taken = new Set<number>();
  let left = NAMES_MAX;
  context.font = `12px ${colours.font}`;
  context.textAlign = 'center';
  context.lineJoin = 'round';
  const write = (at: number, always: boolean) => {
    const [x, y] = [xs[at]! * view.k + view.x, ys[at]! * view.k + view.y + Math.max(3, radii[at]! * Math.min(view.k, 1.6)) + 14];
    const name = shortened(things[at]!.title);
    const cells = cellsOf(x, y, context.measureText(name).width);
    if (!always && cells.some((cell) => taken.has(cell))) return;
    cells.forEach((cell) => taken.add(cell));
    context.globalAlpha = faded.thing(at) ? PALE : 1;
    context.strokeStyle = colours.background;
    context.lineWidth = 3;
    context.fillStyle = colours.text;
    context.strokeText(name, x, y);
    context.fillText(name, x, y);
    left -= 1;
  };
  for (const id of picked.focus ? [picked.focus, ...picked.things] : picked.things) {
    const at = scene.place.get(id);
    if (at !== undefined && sight.has(at) && left > 0) write(at, true);
  }
  // Far away only hubs have names, of which a few fit.
  for (const at of byDegree) {
    if (left <= (isFar ? NAMES_MAX - 40 : 0)) break;
    if (sight.has(at)) write(at, false);
  }
  context.globalAlpha = 1;
}

/** Cells of the screen that a name at this place reaches into. */
function cellsOf(x: number, y: number, width: number): number[] {
  const [first, last] = [Math.floor((x - width / 2) / NAME_CELL.width), Math.floor((x + width / 2) / NAME_CELL.width)];
  const [top, bottom] = [Math.floor((y - 10) / NAME_CELL.height), Math.floor((y + 3) / NAME_CELL.height)];
  const cells = [];
  for (let row = top; row <= bottom; row += 1) {
    for (let column = first; column <= last; column += 1) cells.push((row + 10_000) * 100_000 + column + 10_000);
  }
  return cells;
}

const shortened = (title: string) => (title.length > 20 ? `${title.slice(0, 19).trimEnd()}…` : title);

/** What lines say that end at what is chosen, or that several relations are one line. */
function tieNames(context: CanvasRenderingContext2D, { scene, view, colours, picked, faded }: Frame) {
  if (view.k < NAMES_FROM) return;
  const { lines, froms, tos, xs, ys } = scene;
  const isChosen = (at: number) => picked.line === at || picked.things.has(lines[at]!.from) || picked.things.has(lines[at]!.to);
  const chosen = lines.reduce((count, _, at) => count + (isChosen(at) ? 1 : 0), 0);
  const isNamed = (at: number) => picked.line === at || (chosen <= TIE_NAMES_MAX && isChosen(at));
  context.font = `11px ${colours.font}`;
  context.textAlign = 'center';
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at]!;
    const isPicked = isNamed(at);
    if (!(isPicked || (line.relations > 1 && lines.length <= STILL_FROM)) || faded.line(at)) continue;
    const [x, y] = [(xs[froms[at]!]! + xs[tos[at]!]!) / 2 * view.k + view.x, (ys[froms[at]!]! + ys[tos[at]!]!) / 2 * view.k + view.y];
    const kinds = [...new Set(line.ties.map(({ kind }) => kind))];
    const times = line.relations > 1 ? ` ×${line.relations}` : '';
    const text = isPicked ? `${kinds[0]}${kinds.length > 1 ? ` +${kinds.length - 1}` : ''}${times}` : times.trim();
    context.strokeStyle = colours.background;
    context.lineWidth = 4;
    context.strokeText(text, x, y + 4);
    context.fillStyle = isPicked ? colours.accent : colours.faint;
    context.fillText(text, x, y + 4);
  }
}

/** No nearer than this is looked at a graph as a whole. */
const FIT_MAX = 1.5;

/** The view in which all of it is in sight. */
export function fitted({ left, top, right, bottom }: Bounds, width: number, height: number): View {
  const k = Math.min(FIT_MAX, Math.max(0.005, Math.min(width / (right - left), height / (bottom - top))));
  return { k, x: width / 2 - (left + right) / 2 * k, y: height / 2 - (top + bottom) / 2 * k };
}
