// Runs persisted operations: by their ids, never by a text.

import { MUTATIONS, type Operations } from './operations.ts';
import { hex, randomBytes } from './random.ts';
import { wire } from './wire.ts';

export type Operation = keyof Operations;
export type Variables<O extends Operation> = Operations[O]['variables'];
export type Data<O extends Operation> = Operations[O]['data'];

/** What was answered, and which fields are null because whoever asks may not see them. */
export interface Answer<O extends Operation> {
  data: Data<O>;
  elided: string[];
}

/** A refusal of the gateway, or its silence, in words for people. */
export class GatewayError extends Error {
  readonly code: string;
  readonly status: number;
  readonly requestId: string | null;
  /** More for programs, as the gateway gave it. */
  readonly details: unknown;

  constructor(code: string, message: string, status = 0, requestId: string | null = null, details: unknown = null) {
    super(message);
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    this.details = details;
  }

  /** The node did not answer at all, or says that it cannot now. */
  get isPassing(): boolean {
    return this.code === 'unreachable' || this.status === 503 || this.status === 429;
  }
}

let tenant: string | undefined;

/** The tenant that the page is about; requests name it from now on. */
export function ofTenant(name: string | undefined) {
  tenant = name;
}

let token: string | null = null;

/** A token to be shown with each request from now on, in place of the session. */
export function showToken(text: string | null) {
  token = text;
}

export async function run<O extends Operation>(id: O, variables: Variables<O>, signal?: AbortSignal): Promise<Answer<O>> {
  const headers: Record<string, string> = { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json' };
  if (MUTATIONS.has(id)) headers['idempotency-key'] = hex(randomBytes(16));
  const response = await send('/graphql', { method: 'POST', headers, body: JSON.stringify({ id, variables }), signal });
  const document = await json(response);
  const error = document.errors?.[0];
  if (error || !response.ok) throw failure(response, error ? { ...error, ...error.extensions } : document.error);
  return { data: document.data as Data<O>, elided: document.extensions?.elided ?? [] };
}

/** Sends a request to the node, in the name of the session and the tenant of the page. */
export async function send(path: string, init: RequestInit): Promise<Response> {
  const headers = named(init.headers);
  if (init.method && init.method !== 'GET') headers.set('x-ig-csrf', '1');
  try {
    return await wire(path, { ...init, headers, credentials: 'same-origin' });
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw new GatewayError('unreachable', 'The node does not answer. Is it running, and can this machine reach it?');
  }
}

/** The headers of a request in the name of the session and the tenant of the page. */
export function named(init?: HeadersInit): Headers {
  const headers = new Headers(init);
  if (tenant) headers.set('x-ig-tenant', tenant);
  if (token) headers.set('authorization', `Bearer ${token}`);
  return headers;
}

interface Document {
  data?: unknown;
  errors?: { message: string; extensions?: { code?: string; status?: number; details?: unknown } }[];
  error?: { code: string; message: string; details?: unknown };
  extensions?: { elided?: string[] };
}

export async function json(response: Response): Promise<Document & Record<string, unknown>> {
  try {
    return await response.json();
  } catch {
    throw failure(response, undefined);
  }
}

/** The failure that an answer tells of. */
export function failure(response: Response, error: { code?: string; message: string; status?: number; details?: unknown } | undefined): GatewayError {
  const code = error?.code ?? (response.status >= 500 ? 'unreachable' : 'failed');
  const message = error?.message ?? `The node answered with status ${response.status}.`;
  return new GatewayError(code, message, error?.status ?? response.status, response.headers.get('x-request-id'), error?.details);
}
