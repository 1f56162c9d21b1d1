// Many things as dots, written into the pixels: fifty thousand of them take less time than a thousand calls of a canvas.

import type { Frame } from './painter.ts';

/** The pixels that were used last; a screen of them is not asked for anew sixty times a second. */
let kept: ImageData | null = null;
let layer: HTMLCanvasElement | null = null;

/** Draws dots: alone on the background, or over what is there. */
export function dots(context: CanvasRenderingContext2D, frame: Frame, seen: Int32Array, alone: boolean) {
  const { scene, view, width, height, density, colours, sprites, faded } = frame;
  const [columns, rows] = [Math.round(width * density), Math.round(height * density)];
  if (kept?.width !== columns || kept.height !== rows) kept = new ImageData(columns, rows);
  const pixels = new Uint32Array(kept.data.buffer);
  pixels.fill(alone ? pixel(colours.background) : 0);
  const ofKind = new Map(scene.kinds.length ? [...new Set(scene.kinds)].map((kind) => [kind, pixel(sprites.colour(kind))]) : []);
  const pale = pixel(colours.line);
  const half = Math.max(1, Math.round(Math.min(4, Math.max(1.2, view.k * 9)) * density));
  for (const at of seen) {
    const x = Math.round((scene.xs[at]! * view.k + view.x) * density);
    const y = Math.round((scene.ys[at]! * view.k + view.y) * density);
    const colour = faded.thing(at) ? pale : ofKind.get(scene.kinds[at]!)!;
    const [left, right] = [Math.max(0, x - half), Math.min(columns, x + half)];
    for (let row = Math.max(0, y - half); row < Math.min(rows, y + half); row += 1) pixels.fill(colour, row * columns + left, row * columns + right);
  }
  if (alone) {
    context.putImageData(kept, 0, 0);
    context.setTransform(density, 0, 0, density, 0, 0);
    return;
  }
  layer ??= document.createElement('canvas');
  [layer.width, layer.height] = [columns, rows];
  layer.getContext('2d')!.putImageData(kept, 0, 0);
  context.drawImage(layer, 0, 0, width, height);
}

const known = new Map<string, number>();

/** `#rrggbb` or `rgb(..)` as a pixel, opaque. */
function pixel(colour: string): number {
  let value = known.get(colour);
  if (value === undefined) {
    const hex = colour.match(/^#(..)(..)(..)$/);
    const [red, green, blue] = hex ? hex.slice(1).map((part) => parseInt(part, 16)) : (colour.match(/\d+(\.\d+)?/g) ?? []).map(Number);
    // Bytes in the order of the pixels: red first. Every machine that has a browser counts from the low end.
    value = ((255 << 24) | ((blue ?? 0) << 16) | ((green ?? 0) << 8) | (red ?? 0)) >>> 0;
    known.set(colour, value);
  }
  return value;
}
