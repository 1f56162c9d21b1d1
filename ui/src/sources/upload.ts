// Imports that this page sends. They go on while somebody looks at other pages of the app; closing it ends what was not sent.

import { useSyncExternalStore } from 'react';

import { named } from '../gateway/run.ts';
import { hex, randomBytes } from '../gateway/random.ts';
import { queries } from '../gateway/use.ts';

/** What to import, and on which terms. Terms that are left out are those that the source has. */
export interface Wanted {
  files: File[];
  format: string;
  source: string;
  terms: Record<string, string>;
  /** What the columns are, if they are declared. */
  mapping?: string;
}

/** What an import did, as the node says it. */
export interface Summary {
  run: string;
  read: number;
  created: number;
  updated: number;
  unchanged: number;
  rejected: number;
  entities: number;
  relations: number;
  seconds: number;
  lsn: number;
  searchable: boolean;
  error?: string;
  notes?: string[];
}

export interface Upload {
  id: number;
  /** The request by which it is sent, as the node names it in its progress. */
  request: string;
  wanted: Wanted;
  /** `sending`, `reading` (the node has all of it), `done`, `refused` (nothing was written), `broken` (the node or the network ended it), `stopped` (by whoever sent it). */
  phase: 'sending' | 'reading' | 'done' | 'refused' | 'broken' | 'stopped';
  sent: number;
  total: number;
  beganMs: number;
  /** Bytes a second, lately. */
  rate: number;
  /** When the browser had handed all of it to the network. */
  sentMs?: number;
  summary?: Summary;
  /** What was refused or broken, in words. */
  says?: string;
}

/** So much may be between the browser and the node, in bytes: what is lost if the page is closed before the node has read it. */
const UNDERWAY_BYTES_MAX = 12_000_000;
/** It is read within these, in milliseconds. */
const [UNDERWAY_MS_MIN, UNDERWAY_MS_MAX] = [3_000, 60_000];
/** A rate is over so long, in milliseconds. */
const RATE_MS = 5_000;
const ANSWER_BYTES_MAX = 2_000;

let uploads: Upload[] = [];
let next = 1;
const requests = new Map<number, XMLHttpRequest>();
const listeners = new Set<() => void>();

export function useUploads(): Upload[] {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, () => uploads);
}

/** Begins to send; gives the number by which the upload is known. */
export function begin(wanted: Wanted): number {
  const id = next++;
  const total = wanted.files.reduce((sum, file) => sum + file.size, 0);
  const request = newRequest();
  set([...uploads, { id, request, wanted, phase: 'sending', sent: 0, total, beganMs: Date.now(), rate: 0 }]);
  send(id, request, wanted);
  return id;
}

const newRequest = () => hex(randomBytes(12));

/** Sends no more of it. What was durable by then stays. */
export function stop(id: number) {
  requests.get(id)?.abort();
}

/** Sends it again from its beginning: what is there already counts as unchanged. */
export function again(id: number) {
  const request = newRequest();
  change(id, { request, phase: 'sending', sent: 0, beganMs: Date.now(), rate: 0, says: undefined, summary: undefined });
  send(id, request, uploads.find((upload) => upload.id === id)!.wanted);
}

export function forget(id: number) {
  set(uploads.filter((upload) => upload.id !== id));
}

/** The only request that the browser tells the progress of is the old one. */
function send(id: number, name: string, { files, format, source, terms, mapping }: Wanted) {
  const request = new XMLHttpRequest();
  requests.set(id, request);
  const isForm = files.length > 1 || mapping !== undefined;
  const query = new URLSearchParams({ format, source, ...terms, ...(isForm ? {} : { name: files[0]!.name }) });
  const times: [number, number][] = [];
  request.open('POST', `/api/v1/import?${query}`);
  named({ 'x-ig-csrf': '1', 'x-request-id': name, ...(isForm ? {} : { 'content-type': 'application/octet-stream' }) }).forEach((value, name) => request.setRequestHeader(name, value));
  request.upload.onprogress = ({ loaded, total }) => {
    times.push([Date.now(), loaded]);
    while (times.length > 2 && times.at(-1)![0] - times[0]![0] > RATE_MS) times.shift();
    const [from, to] = [times[0]!, times.at(-1)!];
    change(id, { sent: loaded, total, rate: to[0] > from[0] ? ((to[1] - from[1]) / (to[0] - from[0])) * 1000 : 0 });
  };
  request.upload.onload = () => change(id, { phase: 'reading', sentMs: Date.now() });
  request.onload = () => ended(id, request);
  request.onerror = () => change(id, { phase: 'broken' });
  request.onabort = () => change(id, { phase: 'stopped' });
  request.onloadend = () => {
    requests.delete(id);
    void queries.invalidateQueries();
  };
  request.send(isForm ? formOf(files, mapping) : files[0]);
}

/** What the columns are stands before the files that it is about. */
function formOf(files: File[], mapping?: string): FormData {
  const form = new FormData();
  if (mapping !== undefined) form.append('mapping', mapping);
  for (const file of files) form.append('file', file, file.name);
  return form;
}

function ended(id: number, request: XMLHttpRequest) {
  const answer = parse(request.responseText);
  if (answer?.run) change(id, { phase: 'done', summary: answer as Summary });
  else if (request.status >= 500) change(id, { phase: 'broken', says: answer?.error?.message });
  else change(id, { phase: 'refused', says: answer?.error?.message ?? `The node answered with status ${request.status}: ${request.responseText.slice(0, ANSWER_BYTES_MAX)}` });
}

function parse(text: string): (Partial<Summary> & { error?: { message: string } & string }) | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function change(id: number, to: Partial<Upload>) {
  set(uploads.map((upload) => (upload.id === id ? { ...upload, ...to } : upload)));
}

function set(to: Upload[]) {
  uploads = to;
  for (const listener of listeners) listener();
}

/** Whether the node goes on by itself if the page is closed: all was sent, and what was still underway has come to it. */
export function isOnNode({ phase, sentMs, rate, total }: Upload): boolean {
  if (phase === 'sending' || sentMs === undefined) return false;
  const ms = rate > 0 ? (Math.min(total, UNDERWAY_BYTES_MAX) / rate) * 1000 : UNDERWAY_MS_MIN;
  return phase !== 'reading' || Date.now() - sentMs > Math.min(UNDERWAY_MS_MAX, Math.max(UNDERWAY_MS_MIN, ms));
}

/** Whoever closes the page while something is being sent is asked. */
addEventListener('beforeunload', (event) => {
  if (uploads.some((upload) => ['sending', 'reading'].includes(upload.phase) && !isOnNode(upload))) event.preventDefault();
});
