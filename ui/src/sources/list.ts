// Sources, what they hold and how their last import went: three questions, however many sources there are.

import type { Data } from '../gateway/run.ts';
import { type Asked, useOperation } from '../gateway/use.ts';
import { useMay } from '../shell/gate.tsx';

export type Source = Data<'sources:v1'>['sources']['edges'][number]['node'];
export type Run = Data<'runs:v2'>['runs']['edges'][number]['node'];

/** Imports that are looked through for the last one of each source; the most that the node gives. */
export const RUNS_MAX = 1_000;

/** The last imports, newest first. They are asked for again when one begins or ends. */
export function useRuns(first = RUNS_MAX): Asked<'runs:v2'> {
  const mayImport = useMay('import.run');
  return useOperation('runs:v2', { first }, { enabled: mayImport, keep: true });
}

/** How many things that the reader may see each source speaks of; nothing while that is not known. */
export function useThings(): Map<string, number> | undefined {
  const maySearch = useMay('entity.search');
  const asked = useOperation('search:v4', { q: '', first: 1, facets: true, includeRevoked: true }, { enabled: maySearch });
  const facets = asked.data?.data.search.facets;
  return facets ? new Map(facets.filter(({ field }) => field === 'source').map(({ value, count }) => [value, count])) : undefined;
}

/** The last import of each source, of those that the reader may see. */
export function lastRuns(runs: Run[]): Map<string, Run> {
  const last = new Map<string, Run>();
  for (const run of runs) if (!last.has(run.source)) last.set(run.source, run);
  return last;
}

/** How long an import took, or has taken, in seconds. */
export function tookOf({ began, ended }: Run): number {
  return Math.max(0, ((ended ? Date.parse(ended) : Date.now()) - Date.parse(began)) / 1000);
}
