// What goes on at the node, as it happens: one stream for each tab. It survives the node, the network and a laptop's sleep, and whoever
// comes back misses no ending.

import { useSyncExternalStore } from 'react';

import { named } from './run.ts';
import { queries } from './use.ts';
import { wire } from './wire.ts';

/** An import that is going. What the node cannot tell is absent. */
export interface Going {
  run: string;
  process: string;
  source: string;
  began: string;
  /** The request that it came by, if it is one's own. */
  request: string | null;
  phase?: 'reading' | 'settling';
  file?: string;
  file_number?: number;
  bytes_read?: number;
  bytes?: number | null;
  read?: number;
  created?: number;
  updated?: number;
  unchanged?: number;
  rejected?: number;
  seconds?: number;
  bytes_per_second?: number;
  objects_per_second?: number;
  seconds_left?: number | null;
}

/** How the tenant is. */
export interface Progress {
  lsn: number;
  followers: { name: string; state: string; lsn: number }[];
  runs: Going[];
}

/** `connecting` at first, `live`, `reconnecting` (the node does not answer), `refused` (it answers, and has no stream for this tab), `resting` (nobody looks). */
export type Link = 'connecting' | 'live' | 'reconnecting' | 'refused' | 'resting';

export interface Watched {
  link: Link;
  /** What was said last, also while the node does not answer. */
  progress?: Progress;
}

const PATH = '/api/v1/progress';
/** Pauses before the next try, the longer the more failed; milliseconds. */
const [PAUSE_MS_MIN, PAUSE_MS_MAX] = [400, 5_000];
/** The node says something every 15 seconds; one that is silent for so long is gone, in milliseconds. */
const SILENCE_MS_MAX = 40_000;
/** A tab that nobody looks at gives its connection back after this: a browser has six for a node. */
const UNSEEN_MS = 20_000;
/** Counts that change with every record are asked for at most so often, in milliseconds. */
const COUNTS_EVERY_MS = 2_000;

let watched: Watched = { link: 'connecting' };
const listeners = new Set<() => void>();

function become(to: Partial<Watched>) {
  watched = { ...watched, ...to };
  for (const listener of listeners) listener();
}

export function useProgress(): Watched {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, () => watched);
}

/** The present state of an import, if it is going. */
export function useGoing(is: (run: Going) => boolean): Going | undefined {
  return useProgress().progress?.runs.find(is);
}

/** Watches, as whoever is signed in, until what is returned is called. */
export function watch(): () => void {
  const stream = new Stream();
  const seen = () => stream.seen(document.visibilityState === 'visible');
  const online = () => stream.hurry();
  document.addEventListener('visibilitychange', seen);
  addEventListener('online', online);
  void stream.run();
  return () => {
    document.removeEventListener('visibilitychange', seen);
    removeEventListener('online', online);
    stream.end();
    become({ link: 'connecting', progress: undefined });
  };
}

class Stream {
  #ended = false;
  #last: string | undefined;
  #failed = 0;
  #connection = new AbortController();
  #wake: () => void = () => {};
  #unseen: ReturnType<typeof setTimeout> | undefined;
  #resting = false;
  #countedMs = 0;
  /** An import has ended, and the index does not know of all of it yet. */
  #uncounted = false;

  async run() {
    while (!this.#ended) {
      if (this.#resting) {
        become({ link: 'resting' });
        await this.#pause(Infinity);
        continue;
      }
      const pauseMs = await this.#connect();
      if (!this.#ended && !this.#resting) await this.#pause(pauseMs);
    }
  }

  end() {
    this.#ended = true;
    clearTimeout(this.#unseen);
    this.#connection.abort();
    this.#wake();
  }

  /** Does not wait for the next try. */
  hurry() {
    this.#failed = 0;
    this.#wake();
  }

  seen(isSeen: boolean) {
    clearTimeout(this.#unseen);
    if (!isSeen) {
      this.#unseen = setTimeout(() => {
        this.#resting = true;
        this.#connection.abort();
      }, UNSEEN_MS);
    } else if (this.#resting) {
      this.#resting = false;
      this.hurry();
    }
  }

  #pause(ms: number) {
    return new Promise<void>((done) => {
      this.#wake = done;
      if (ms !== Infinity) setTimeout(done, ms);
    });
  }

  /** One connection, to its end; how long to wait before the next. */
  async #connect(): Promise<number> {
    const connection = this.#connection = new AbortController();
    const silence = new Silence(connection);
    try {
      const headers = named({ accept: 'text/event-stream', ...(this.#last ? { 'last-event-id': this.#last } : {}) });
      const response = await wire(PATH, { headers, signal: connection.signal, cache: 'no-store', credentials: 'same-origin' });
      if (!response.ok || !response.body) return this.#refused(response);
      await this.#read(response.body, silence);
      // A node that stops ends its streams in order; it is not there for a moment, and nobody need be told at once.
      return this.#failure(0);
    } catch {
      return this.#failure();
    } finally {
      silence.end();
    }
  }

  #refused(response: Response): number {
    void response.body?.cancel();
    if (response.status >= 500) return this.#failure();
    if (response.status === 401) void queries.invalidateQueries({ queryKey: ['session'] });
    // An id of another node, or of one that was put back.
    if (response.status === 400) this.#last = undefined;
    become({ link: 'refused' });
    return Math.max(PAUSE_MS_MAX, Number(response.headers.get('retry-after') ?? 0) * 1000);
  }

  #failure(toldFrom = 1): number {
    this.#failed += 1;
    if (!this.#ended && !this.#resting && this.#failed > toldFrom) become({ link: 'reconnecting' });
    const longest = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** (this.#failed - 1));
    // Not all tabs at once.
    return longest * (0.5 + Math.random() / 2);
  }

  async #read(body: ReadableStream<Uint8Array<ArrayBuffer>>, silence: Silence) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      silence.broken();
      text += value;
      const events = text.split('\n\n');
      text = events.pop()!;
      for (const event of events) this.#take(parse(event));
    }
  }

  #take({ event, id, data }: Told) {
    if (id !== undefined) this.#last = id;
    if (data === undefined || this.#ended) return;
    if (event === 'progress') this.#state(JSON.parse(data) as Progress);
    if (event === 'ended') {
      this.#uncounted = true;
      void queries.invalidateQueries({ predicate: ({ queryKey }) => ENDED.includes(String(queryKey[0])) });
    }
  }

  #state(progress: Progress) {
    const before = watched.progress;
    const wasAway = watched.link === 'reconnecting';
    this.#failed = 0;
    become({ link: 'live', progress });
    if (wasAway) void queries.invalidateQueries();
    if (this.#uncounted && progress.followers.every(({ lsn }) => lsn >= progress.lsn)) {
      this.#uncounted = false;
      void queries.invalidateQueries({ predicate: ({ queryKey: [id, asked] }) => id === 'search:v4' && (asked as { facets?: boolean }).facets === true });
    }
    const isNew = progress.runs.some(({ run }) => !before?.runs.some((known) => known.run === run));
    if (isNew && before) void queries.invalidateQueries({ queryKey: ['runs:v2'] });
    if (progress.lsn !== before?.lsn && Date.now() - this.#countedMs > COUNTS_EVERY_MS) {
      this.#countedMs = Date.now();
      void queries.invalidateQueries({ predicate: ({ queryKey }) => COUNTED.includes(String(queryKey[0])) });
    }
  }
}

/** What the end of an import changes, and what every record does. */
const ENDED = ['runs:v2', 'sources:v1', 'node:v1', 'ledgerCheckpoint:v1'];
const COUNTED = ['node:v1', 'ledgerCheckpoint:v1'];

/** Ends a connection on which nothing comes any more. */
class Silence {
  #connection: AbortController;
  #timer: ReturnType<typeof setTimeout>;

  constructor(connection: AbortController) {
    this.#connection = connection;
    this.#timer = this.#begin();
  }

  broken() {
    this.end();
    this.#timer = this.#begin();
  }

  end() {
    clearTimeout(this.#timer);
  }

  #begin() {
    return setTimeout(() => this.#connection.abort(), SILENCE_MS_MAX);
  }
}

interface Told {
  event?: string;
  id?: string;
  data?: string;
}

/** An event of the stream: `name: value`, a line each; a line that begins with a colon says only that the node is there. */
export function parse(text: string): Told {
  const told: Told = {};
  for (const line of text.split('\n')) {
    const [, name, value] = line.match(/^(event|id|data): ?(.*)$/) ?? [];
    if (name) told[name as keyof Told] = value;
  }
  return told;
}
