// What the node counts of itself, read from its metrics. They are of the whole node and name no tenant and no thing.

import { useQuery } from '@tanstack/react-query';

import { failure, type GatewayError, send } from '../gateway/run.ts';

/** A value under its labels, as `reason="handshake"`; without labels under the empty text. */
export type Series = Map<string, number>;
export type Metrics = Map<string, Series>;

export interface Measured {
  /** When, in milliseconds since 1970. */
  at: number;
  metrics: Metrics;
}

/** Measurements that are remembered, to show how it went. */
export const REMEMBERED_MAX = 60;

/** The last measurements, oldest first, asked for again and again. */
export function useMetrics(everyMs: number) {
  return useQuery<Measured[], GatewayError>({
    queryKey: ['metrics'],
    queryFn: async ({ signal, client }) => {
      const before = client.getQueryData<Measured[]>(['metrics']) ?? [];
      return [...before, { at: Date.now(), metrics: await read(signal) }].slice(-REMEMBERED_MAX);
    },
    refetchInterval: everyMs,
    staleTime: everyMs,
  });
}

async function read(signal: AbortSignal): Promise<Metrics> {
  const response = await send('/metrics', { signal, headers: { accept: 'text/plain' } });
  if (!response.ok) throw failure(response, undefined);
  return parse(await response.text());
}

/** The text format of Prometheus: `name{labels} value`, a line each. */
export function parse(text: string): Metrics {
  const found: Metrics = new Map();
  for (const line of text.split('\n')) {
    const [, name, labels, value] = line.match(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/) ?? [];
    if (!name || value === undefined) continue;
    const series = found.get(name) ?? new Map();
    found.set(name, series.set(labels ?? '', Number(value)));
  }
  return found;
}

/** The one value of a metric; of several, their sum. */
export function valueOf(metrics: Metrics, name: string): number | undefined {
  const series = metrics.get(`intelgraph_${name}`);
  return series && [...series.values()].reduce((sum, value) => sum + value, 0);
}

/** Values by one of their labels, the largest first; zeros are left out. */
export function valuesBy(metrics: Metrics, name: string, label: string): [string, number][] {
  const series = metrics.get(`intelgraph_${name}`) ?? new Map<string, number>();
  const named = [...series].map(([labels, value]): [string, number] => [labels.match(new RegExp(`(?:^|,)${label}="([^"]*)"`))?.[1] ?? '', value]);
  return named.filter(([, value]) => value > 0).sort(([, a], [, b]) => b - a);
}

/** The upper bound of the bucket in which a share of all measurements lies, of a histogram in seconds. */
export function quantile(metrics: Metrics, name: string, share: number): number | undefined {
  const buckets = new Map<number, number>();
  for (const [labels, value] of metrics.get(`intelgraph_${name}_bucket`) ?? []) {
    const bound = Number((labels.match(/le="([^"]*)"/)?.[1] ?? '').replace('+Inf', 'Infinity'));
    buckets.set(bound, (buckets.get(bound) ?? 0) + value);
  }
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const total = sorted.at(-1)?.[1] ?? 0;
  return total ? sorted.find(([, value]) => value >= share * total)?.[0] : undefined;
}

/** What was counted in each second between two measurements. */
export function rates(measured: Measured[], name: string): number[] {
  return measured.slice(1).map(({ at, metrics }, index) => {
    const before = measured[index]!;
    const grown = (valueOf(metrics, name) ?? 0) - (valueOf(before.metrics, name) ?? 0);
    return Math.max(0, grown / Math.max(0.001, (at - before.at) / 1000));
  });
}
