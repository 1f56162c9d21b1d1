// What an import refused: a file on the node, an object a line.

import { failure, json, send } from '../gateway/run.ts';
import { save } from '../shell/save.ts';

export interface Reject {
  file?: string;
  line?: number;
  column?: string;
  code?: string;
  reason?: string;
  value?: string;
}

/** So much of the file is read to be shown, in bytes. */
const READ_BYTES_MAX = 256_000;

const path = (run: string) => `/api/v1/imports/${encodeURIComponent(run)}/rejects`;

async function ask(run: string, signal?: AbortSignal): Promise<Response> {
  const response = await send(path(run), { signal });
  if (!response.ok) throw failure(response, (await json(response)).error);
  return response;
}

/** The first rejects of a run, and whether they are all that there are. */
export async function firstRejects(run: string, signal?: AbortSignal): Promise<{ rejects: Reject[]; isAll: boolean }> {
  const reader = (await ask(run, signal)).body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let isAll = false;
  while (!isAll && text.length < READ_BYTES_MAX) {
    const { value, done } = await reader.read();
    [text, isAll] = [text + (value ?? ''), done];
  }
  if (!isAll) void reader.cancel();
  const lines = text.split('\n');
  if (!isAll) lines.pop();
  return { rejects: lines.filter(Boolean).map((line) => JSON.parse(line) as Reject), isAll };
}

/** Saves all of them as a file. */
export async function saveRejects(run: string): Promise<void> {
  save(await (await ask(run)).blob(), `rejects-${run}.jsonl`);
}
