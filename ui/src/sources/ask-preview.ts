// What an import would make of a file, by its beginning: the node looks at it, and writes nothing.

import { useQuery } from '@tanstack/react-query';

import { failure, type GatewayError, json, send } from '../gateway/run.ts';
import type { Format } from './format.ts';

export interface Column {
  name: string;
  type: string;
  empty: number;
  distinct: number;
  examples: string[];
  becomes: string;
}

export interface Preview {
  file: string;
  bytes: number;
  whole: boolean;
  dialect?: Record<string, string | boolean | null>;
  sampled_rows?: number;
  columns?: Column[];
  mapping?: string;
  inferred?: boolean;
  notes?: string[];
  rows: { line: number; becomes: Record<string, unknown>[] }[];
  things: number;
  rejected: number;
  rejects: { line: number; column?: string; code: string; reason: string; value: string }[];
  error?: string;
}

/** The node looks at so many bytes; a little more tells it that there are more. */
const SENT_BYTES_MAX = (2 << 20) + 65_536;

/** The preview of a file; `null` from a node that gives none. */
export function usePreview(file: File | undefined, format: Format | null, mapping: string | null) {
  return useQuery<Preview | null, GatewayError>({
    queryKey: ['preview', file?.name, file?.size, file?.lastModified, format, mapping],
    queryFn: ({ signal }) => ask(file!, format!, mapping, signal),
    enabled: file !== undefined && format !== null,
    placeholderData: (before) => before,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
}

async function ask(file: File, format: Format, mapping: string | null, signal: AbortSignal): Promise<Preview | null> {
  const query = new URLSearchParams({ format, name: file.name });
  const head = file.slice(0, SENT_BYTES_MAX);
  const init: RequestInit = { method: 'POST', signal, headers: { 'content-type': 'application/octet-stream' }, body: head };
  if (mapping !== null) {
    const form = new FormData();
    form.append('mapping', mapping);
    form.append('file', head, file.name);
    [init.body, init.headers] = [form, {}];
  }
  const response = await send(`/api/v1/import/preview?${query}`, init);
  if (response.status === 404 || response.status === 405) return null;
  const document = await json(response);
  // A file that cannot be read to its end has a preview, too: of what could be read.
  if (!response.ok && !('rows' in document)) throw failure(response, document.error);
  return document as unknown as Preview;
}
