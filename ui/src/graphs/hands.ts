// What hands do on the drawing: look elsewhere, point at things, drag them, draw a box round them.

import { select } from 'd3-selection';
import { zoom, zoomIdentity, type D3ZoomEvent, type ZoomBehavior } from 'd3-zoom';

import { fitted, paint, type Colours, type Frame, type Picked, type View } from './painter.ts';
import { type Bounds, bounds, Finder, type Scene } from './scene.ts';
import type { Sprites } from './sprites.ts';

export interface Told {
  /** A thing, a line or nothing was pointed at; `more`: beside what is chosen. */
  pick: (what: { thing?: string; line?: number }, more: boolean) => void;
  /** Things inside a box that was drawn. */
  box: (ids: string[]) => void;
  /** Things were put elsewhere. */
  moved: (places: { id: string; x: number; y: number }[]) => void;
  open: (thing: string) => void;
}

/** Nothing has moved for so long: then all of it is drawn, in milliseconds. */
const STILL_MS = 120;
/** How far beside a thing or a line one may point, in pixels of the screen. */
const REACH = 6;
const ZOOM = [0.005, 4] as const;
/** The longer side of a picture, in pixels. */
const PICTURE_MAX = 4_096;
/** A pointer that went no farther than this pointed, and did not drag; pixels. */
const DRAG_FROM = 4;

export class Drawing {
  readonly canvas: HTMLCanvasElement;
  /** Things stay where they are, whatever somebody does. */
  frozen = false;
  readonly #context: CanvasRenderingContext2D;
  readonly #told: Told;
  readonly #zoom: ZoomBehavior<HTMLCanvasElement, unknown>;
  readonly #resized: ResizeObserver;
  #scene: Scene | null = null;
  #finder: Finder | null = null;
  #look: { colours: Colours; sprites: Sprites; faded: Frame['faded'] } | null = null;
  #picked: Picked = { things: new Set(), focus: null, line: null };
  #view: View = { k: 1, x: 0, y: 0 };
  #size = { width: 0, height: 0 };
  #moving = false;
  #asked = 0;
  #still: ReturnType<typeof setTimeout> | undefined;
  #box: { x: number; y: number; toX: number; toY: number } | null = null;

  constructor(canvas: HTMLCanvasElement, told: Told) {
    this.canvas = canvas;
    this.#told = told;
    this.#context = canvas.getContext('2d', { alpha: false })!;
    this.#zoom = zoom<HTMLCanvasElement, unknown>()
      .scaleExtent([...ZOOM])
      .filter((event: MouseEvent) => !event.button && (event.type === 'wheel' || (!event.shiftKey && this.#at(event).thing === undefined)))
      .on('zoom', ({ transform }: D3ZoomEvent<HTMLCanvasElement, unknown>) => {
        this.#view = { k: transform.k, x: transform.x, y: transform.y };
        this.#moves();
      });
    select(canvas).call(this.#zoom).on('dblclick.zoom', null);
    canvas.addEventListener('pointerdown', this.#down);
    canvas.addEventListener('pointermove', this.#hover);
    canvas.addEventListener('dblclick', this.#twice);
    this.#resized = new ResizeObserver(() => this.#resize());
    this.#resized.observe(canvas);
    this.#resize();
  }

  end() {
    this.#resized.disconnect();
    clearTimeout(this.#still);
    cancelAnimationFrame(this.#asked);
    select(this.canvas).on('.zoom', null);
    this.canvas.removeEventListener('pointerdown', this.#down);
    this.canvas.removeEventListener('pointermove', this.#hover);
    this.canvas.removeEventListener('dblclick', this.#twice);
  }

  show(scene: Scene, look: { colours: Colours; sprites: Sprites; faded: Frame['faded'] }) {
    this.#scene = scene;
    this.#finder = null;
    this.#look = look;
    this.ask();
  }

  choose(picked: Picked) {
    this.#picked = picked;
    this.ask();
  }

  fit(around?: Bounds) {
    if (!this.#scene) return;
    this.#go(fitted(around ?? bounds(this.#scene), this.#size.width, this.#size.height));
  }

  /** Nearer or farther, by the middle of what is in sight. */
  nearer(by: number) {
    this.#zoom.scaleBy(select(this.canvas), by);
  }

  /** Looks so far elsewhere that a thing is in sight. */
  reveal(id: string) {
    const at = this.#scene?.place.get(id);
    if (at === undefined || !this.#scene) return;
    const { k, x, y } = this.#view;
    const [sx, sy] = [this.#scene.xs[at]! * k + x, this.#scene.ys[at]! * k + y];
    const { width, height } = this.#size;
    const shift = (place: number, size: number) => (place < 60 ? 60 - place : place > size - 60 ? size - 60 - place : 0);
    const [dx, dy] = [shift(sx, width), shift(sy, height)];
    if (dx || dy) this.#go({ k, x: x + dx, y: y + dy });
  }

  get view(): View {
    return this.#view;
  }

  /** Whether everything is in sight. */
  get isWhole(): boolean {
    if (!this.#scene) return true;
    const { left, top, right, bottom } = bounds(this.#scene);
    const { k, x, y } = this.#view;
    return left * k + x >= -1 && top * k + y >= -1 && right * k + x <= this.#size.width + 1 && bottom * k + y <= this.#size.height + 1;
  }

  /** All of it as a picture, whatever is in sight. */
  picture(): Promise<Blob | null> {
    const frame = this.#frame();
    if (!frame) return Promise.resolve(null);
    const { left, top, right, bottom } = bounds(frame.scene);
    const size = Math.max(right - left, bottom - top);
    const scale = Math.min(1, PICTURE_MAX / size);
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [Math.ceil((right - left) * scale), Math.ceil((bottom - top) * scale)];
    const view = { k: scale, x: -left * scale, y: -top * scale };
    const more = paint(canvas.getContext('2d')!, { ...frame, view, width: canvas.width, height: canvas.height, density: 1, moving: false });
    while (more && !more());
    return new Promise((done) => canvas.toBlob(done, 'image/png'));
  }

  /** Draws as soon as the browser does. */
  ask() {
    cancelAnimationFrame(this.#asked);
    this.#asked = requestAnimationFrame(() => this.#paint());
  }

  #go({ k, x, y }: View) {
    this.#zoom.transform(select(this.canvas), zoomIdentity.translate(x, y).scale(k));
  }

  #moves() {
    this.#moving = true;
    clearTimeout(this.#still);
    this.#still = setTimeout(() => {
      this.#moving = false;
      this.ask();
    }, STILL_MS);
    this.ask();
  }

  #paint() {
    const frame = this.#frame();
    if (!frame) return;
    const more = paint(this.#context, frame);
    this.#drawBox();
    performance.mark('ig:graph:paint');
    const go = () => {
      if (more && !more()) this.#asked = requestAnimationFrame(go);
    };
    if (more) this.#asked = requestAnimationFrame(go);
  }

  #frame(): Frame | null {
    if (!this.#scene || !this.#look || !this.#size.width) return null;
    return {
      scene: this.#scene, view: this.#view, ...this.#size, density: devicePixelRatio, ...this.#look, picked: this.#picked, moving: this.#moving,
    };
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    const before = this.#size;
    this.#size = { width, height };
    [this.canvas.width, this.canvas.height] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
    this.#zoom.extent([[0, 0], [width, height]]);
    // What was in the middle stays there.
    const { k, x, y } = this.#view;
    if (before.width) this.#go({ k, x: x + (width - before.width) / 2, y: y + (height - before.height) / 2 });
    // At once: a canvas that was resized is empty.
    this.#paint();
  }

  #at(event: MouseEvent | TouchEvent): { thing?: number; line?: number; x: number; y: number } {
    const { left, top } = this.canvas.getBoundingClientRect();
    const { k, x: shiftX, y: shiftY } = this.#view;
    const pointer = 'touches' in event ? event.touches[0]! : event;
    const [x, y] = [(pointer.clientX - left - shiftX) / k, (pointer.clientY - top - shiftY) / k];
    if (!this.#scene) return { x, y };
    this.#finder ??= new Finder(this.#scene);
    const thing = this.#finder.thing(x, y, REACH / k);
    return { thing, line: thing === undefined ? this.#finder.line(x, y, REACH / k) : undefined, x, y };
  }

  readonly #hover = (event: PointerEvent) => {
    if (event.buttons || (this.#scene?.things.length ?? 0) > 5_000) return;
    const { thing, line } = this.#at(event);
    this.canvas.style.cursor = thing !== undefined || line !== undefined ? 'pointer' : 'grab';
    this.canvas.title = thing === undefined ? '' : this.#scene!.things[thing]!.title;
  };

  readonly #twice = (event: MouseEvent) => {
    const { thing } = this.#at(event);
    if (thing !== undefined) this.#told.open(this.#scene!.things[thing]!.id);
  };

  readonly #down = (event: PointerEvent) => {
    if (event.button) return;
    const from = this.#at(event);
    const more = event.shiftKey || event.ctrlKey || event.metaKey;
    if (from.thing !== undefined) this.#drag(event, from.thing, more);
    else if (event.shiftKey) this.#drawsBox(event);
    else this.#clicks(event, from.line, more);
  };

  /** A line or the background, unless the pointer goes elsewhere: then the view moves. */
  #clicks(event: PointerEvent, line: number | undefined, more: boolean) {
    const up = (end: PointerEvent) => {
      if (far(event, end) < DRAG_FROM) this.#told.pick(line === undefined ? {} : { line }, more);
    };
    window.addEventListener('pointerup', up, { once: true });
  }

  #drag(event: PointerEvent, at: number, more: boolean) {
    const scene = this.#scene!;
    const { id } = scene.things[at]!;
    const ids = this.#picked.things.has(id) ? [...this.#picked.things] : [id];
    const places = ids.map((one) => scene.place.get(one)).filter((place) => place !== undefined);
    const began = places.map((place) => [scene.xs[place]!, scene.ys[place]!] as const);
    this.canvas.setPointerCapture(event.pointerId);
    let dragged = false;
    const go = (now: PointerEvent) => {
      dragged ||= !this.frozen && far(event, now) >= DRAG_FROM;
      if (!dragged) return;
      const [dx, dy] = [(now.clientX - event.clientX) / this.#view.k, (now.clientY - event.clientY) / this.#view.k];
      places.forEach((place, nth) => {
        scene.xs[place] = began[nth]![0] + dx;
        scene.ys[place] = began[nth]![1] + dy;
      });
      this.#moves();
    };
    const up = () => {
      this.canvas.removeEventListener('pointermove', go);
      this.#finder = null;
      if (dragged) this.#told.moved(places.map((place) => ({ id: scene.things[place]!.id, x: scene.xs[place]!, y: scene.ys[place]! })));
      else this.#told.pick({ thing: id }, more);
    };
    this.canvas.addEventListener('pointermove', go);
    this.canvas.addEventListener('pointerup', up, { once: true });
  }

  #drawsBox(event: PointerEvent) {
    const { left, top } = this.canvas.getBoundingClientRect();
    this.canvas.setPointerCapture(event.pointerId);
    const [x, y] = [event.clientX - left, event.clientY - top];
    const go = (now: PointerEvent) => {
      this.#box = { x, y, toX: now.clientX - left, toY: now.clientY - top };
      this.ask();
    };
    const up = () => {
      this.canvas.removeEventListener('pointermove', go);
      if (this.#box) this.#told.box(this.#inside(this.#box));
      this.#box = null;
      this.ask();
    };
    this.canvas.addEventListener('pointermove', go);
    this.canvas.addEventListener('pointerup', up, { once: true });
  }

  #inside({ x, y, toX, toY }: { x: number; y: number; toX: number; toY: number }): string[] {
    const { k, x: shiftX, y: shiftY } = this.#view;
    const scene = this.#scene!;
    const within = (place: number, one: number, other: number) => place >= Math.min(one, other) && place <= Math.max(one, other);
    return scene.things.filter((_, at) => within(scene.xs[at]! * k + shiftX, x, toX) && within(scene.ys[at]! * k + shiftY, y, toY)).map(({ id }) => id);
  }

  #drawBox() {
    if (!this.#box || !this.#look) return;
    const { x, y, toX, toY } = this.#box;
    this.#context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    this.#context.strokeStyle = this.#look.colours.accent;
    this.#context.lineWidth = 1;
    this.#context.setLineDash([4, 3]);
    this.#context.strokeRect(x, y, toX - x, toY - y);
  }
}

const far = (one: PointerEvent, other: PointerEvent) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
