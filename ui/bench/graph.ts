// The page of graph.mjs: draws a made graph, moves about in it, and says how long that took.

import { graphOf, type Thing, type Tie } from '../src/graphs/model.ts';
import { fitted, type Frame, paint } from '../src/graphs/painter.ts';
import { bounds, sceneOf } from '../src/graphs/scene.ts';
import { Sprites } from '../src/graphs/sprites.ts';

const TYPES = ['person', 'organization', 'asset', 'location', 'event', 'document', 'claim', 'case'];
const WIDTH = 1280;
const HEIGHT = 800;

/** A square of things, each joined to one before it, and to a hub. */
function made(count: number) {
  const columns = Math.ceil(Math.sqrt(count));
  const things = Array.from({ length: count }, (_, n): Thing => ({
    id: `thing-${n}`, type: TYPES[n % TYPES.length]!, base: null, title: `Thing number ${n}`, status: 'active',
    x: (n % columns) * 128, y: Math.floor(n / columns) * 88, pinned: false, degree: n % 100 === 0 ? 100 : 2,
  }));
  const ties = things.slice(1).flatMap(({ id }, n): Tie[] => [
    { from: id, to: `thing-${Math.floor(n / 2)}`, kind: 'near', relations: 1, weight: null },
    { from: id, to: `thing-${Math.floor(n / 100) * 100}`, kind: 'of', relations: 1, weight: null },
  ]);
  return graphOf(things, ties);
}

const context = document.querySelector('canvas')!.getContext('2d', { alpha: false })!;
[context.canvas.width, context.canvas.height] = [WIDTH, HEIGHT];
const colours = { background: '#f5f6f8', line: '#868f9b', text: '#14181d', faint: '#434d59', accent: '#2456c8', font: 'sans-serif' };

async function measure(size: number, frames: number) {
  const scene = sceneOf(made(size));
  const whole = fitted(bounds(scene), WIDTH, HEIGHT);
  const frame: Frame = {
    scene, view: whole, width: WIDTH, height: HEIGHT, density: 1, colours, sprites: new Sprites(new Map(), false),
    picked: { things: new Set(), focus: null, line: null }, faded: { thing: () => false, line: () => false }, moving: true,
  };
  const drawing: number[] = [];
  const ends: number[] = [];
  // A way that anybody goes: to the side, and nearer and farther again.
  for (let n = 0; n < frames; n += 1) {
    const turn = n / frames * Math.PI * 2;
    const k = whole.k * (1.4 + Math.sin(turn) * 0.6);
    frame.view = { k, x: WIDTH / 2 - (WIDTH / 2 - whole.x) / whole.k * k + Math.sin(turn) * 200, y: HEIGHT / 2 - (HEIGHT / 2 - whole.y) / whole.k * k + Math.cos(turn) * 80 };
    const began = performance.now();
    paint(context, frame);
    drawing.push(performance.now() - began);
    ends.push(await new Promise<number>(requestAnimationFrame));
  }
  const between = ends.slice(1).map((end, n) => end - ends[n]!);
  const began = performance.now();
  const more = paint(context, { ...frame, view: whole, moving: false });
  while (more && !more());
  const still = performance.now() - began;
  const at = (all: number[], share: number) => all.toSorted((a, b) => a - b)[Math.floor(all.length * share)]!;
  return {
    lines: scene.lines.length, still, p50: at(drawing, 0.5), p95: at(drawing, 0.95), between: at(between, 0.95),
    frames: 1_000 / (between.reduce((sum, one) => sum + one, 0) / between.length),
  };
}

Object.assign(globalThis, { measure });
