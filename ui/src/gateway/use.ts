// Operations as React reads them: kept while fresh, asked again when the page comes back.

import { keepPreviousData, QueryClient, useQuery, type UseQueryResult } from '@tanstack/react-query';

import { type Answer, GatewayError, type Operation, run, type Variables } from './run.ts';

/** Answers are shown for so long before they are asked for again, in milliseconds. */
const FRESH_MS = 15_000;
const TRIES_MAX = 2;

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: FRESH_MS,
      // What is refused stays refused; what may pass is tried again.
      retry: (count, error) => count < TRIES_MAX && error instanceof GatewayError && error.isPassing,
      retryDelay: (count) => 400 * 2 ** count,
      // The browser's word on whether there is a network says nothing about a node on this machine.
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});

export type Asked<O extends Operation> = UseQueryResult<Answer<O>, GatewayError>;

interface Options {
  enabled?: boolean;
  /** Show the answer to the former question until the new one is there. */
  keep?: boolean;
  /** Ask again and again, in milliseconds: what the stream of progress does not tell. */
  every?: number;
}

/** The answer of an operation. */
export function useOperation<O extends Operation>(id: O, variables: Variables<O>, options: Options = {}): Asked<O> {
  return useQuery<Answer<O>, GatewayError>({
    queryKey: [id, variables],
    queryFn: ({ signal }) => run(id, variables, signal),
    enabled: options.enabled ?? true,
    placeholderData: options.keep ? (keepPreviousData as never) : undefined,
    refetchInterval: options.every,
  });
}
