// Pictures of things, each drawn once: the shape of its kind, and on it the sign of its type.

import { type Kind, LOOKS } from '../kinds/shapes.ts';

/** What is drawn on a shape: strokes of an icon in a square of 24, or a letter. */
export type Sign = { strokes: Path2D } | { letter: string };

/** Reads the sign of a type from its icon on the page. */
export function signOf(icon: SVGSVGElement): Sign {
  const inner = icon.querySelector('svg');
  if (!inner) return { letter: icon.querySelector('text')?.textContent ?? '?' };
  const strokes = new Path2D();
  for (const element of inner.children) strokes.addPath(outline(element));
  return { strokes };
}

function outline(element: Element): Path2D {
  const n = (name: string) => Number(element.getAttribute(name) ?? 0);
  const path = new Path2D(element.tagName === 'path' ? element.getAttribute('d') ?? '' : '');
  if (element.tagName === 'circle') path.arc(n('cx'), n('cy'), n('r'), 0, Math.PI * 2);
  if (element.tagName === 'ellipse') path.ellipse(n('cx'), n('cy'), n('rx'), n('ry'), 0, 0, Math.PI * 2);
  if (element.tagName === 'rect') path.roundRect(n('x'), n('y'), n('width'), n('height'), n('rx'));
  if (element.tagName === 'line') {
    path.moveTo(n('x1'), n('y1'));
    path.lineTo(n('x2'), n('y2'));
  }
  if (element.tagName === 'polyline' || element.tagName === 'polygon') {
    const places = (element.getAttribute('points') ?? '').trim().split(/[\s,]+/).map(Number);
    for (let at = 0; at + 1 < places.length; at += 2) path.lineTo(places[at]!, places[at + 1]!);
    if (element.tagName === 'polygon') path.closePath();
  }
  return path;
}

/** How many device pixels a picture has for each of the drawing: it is sharp when somebody looks closer. */
const SHARP = 2;

export class Sprites {
  readonly #made = new Map<string, HTMLCanvasElement>();
  readonly #shapes = new Map<Kind, Path2D>();
  readonly #signs: ReadonlyMap<string, Sign>;
  readonly #dark: boolean;

  constructor(signs: ReadonlyMap<string, Sign>, dark: boolean) {
    this.#signs = signs;
    this.#dark = dark;
  }

  colour(kind: Kind): string {
    return this.#dark ? LOOKS[kind].dark : LOOKS[kind].light;
  }

  of(kind: Kind, type: string, radius: number): HTMLCanvasElement {
    const key = `${kind} ${type} ${radius}`;
    let picture = this.#made.get(key);
    if (!picture) {
      picture = this.#draw(kind, type, radius);
      this.#made.set(key, picture);
    }
    return picture;
  }

  #draw(kind: Kind, type: string, radius: number): HTMLCanvasElement {
    const picture = document.createElement('canvas');
    picture.width = picture.height = radius * 2 * SHARP;
    const context = picture.getContext('2d')!;
    const scale = picture.width / 24;
    context.scale(scale, scale);
    context.fillStyle = this.colour(kind);
    context.fill(this.#shape(kind));
    const surface = this.#dark ? '#161c23' : '#ffffff';
    const sign = this.#signs.get(type) ?? { letter: type.charAt(0).toUpperCase() };
    if ('letter' in sign) {
      context.fillStyle = surface;
      context.font = '600 11px system-ui, sans-serif';
      context.textAlign = 'center';
      context.fillText(sign.letter, 12, 16);
    } else {
      context.translate(6, 6);
      context.scale(0.5, 0.5);
      context.strokeStyle = surface;
      context.lineWidth = 2.4;
      context.lineCap = context.lineJoin = 'round';
      context.stroke(sign.strokes);
    }
    return picture;
  }

  #shape(kind: Kind): Path2D {
    const shape = this.#shapes.get(kind) ?? new Path2D(LOOKS[kind].path);
    this.#shapes.set(kind, shape);
    return shape;
  }
}
