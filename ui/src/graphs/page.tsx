import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';

import { type Answer, type GatewayError, run } from '../gateway/run.ts';
import { Failed, Loading, NotHere } from '../shell/states.tsx';
import { type Draft, draftOf, nameOf } from './drafts.ts';
import { begin, EMPTY, type Graph } from './model.ts';
import { graphRoute, idsOf } from './routes.tsx';
import { graphFrom } from './work.ts';
import type { SavedGraph } from './saving.tsx';
import { Workbench } from './workbench.tsx';

/** A graph: a saved one, or one that begins with what its address names. */
export function GraphPage() {
  const { id } = graphRoute.useParams();
  const { seed } = graphRoute.useSearch();
  const name = nameOf(id, seed);
  // Where somebody left it before they came here now; what was saved meanwhile shows when they save.
  const draft = useMemo(() => draftOf(name), [name]);
  if (draft) return <Workbench key={name} name={name} draft={draft} />;
  return id === 'new' ? <New key={name} name={name} seed={seed} /> : <Saved key={name} id={id} />;
}

const fresh = (graph: Graph, saved: SavedGraph | null): Draft => ({ work: begin(graph), kept: { graph, saved } });

/** Asked for once: what somebody works on does not change under their hands. */
const ONCE = { staleTime: Infinity, gcTime: 0, refetchOnWindowFocus: false } as const;

function New({ name, seed }: { name: string; seed?: string }) {
  const ids = idsOf(seed);
  const asked = useQuery<Answer<'graphAdd:v1'>, GatewayError>({
    queryKey: ['graphAdd:v1', seed], queryFn: ({ signal }) => run('graphAdd:v1', { ids }, signal), enabled: ids.length > 0, ...ONCE,
  });
  useEffect(() => {
    document.title = 'New graph · IntelGraph';
  }, []);
  if (ids.length === 0) return <Workbench name={name} draft={fresh(EMPTY, null)} />;
  if (asked.error) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />;
  if (!asked.data) return <Loading what="the things of this graph" />;
  const drawn = asked.data.data.graphAdd;
  return drawn.nodes.length === 0 ? <NotHere /> : <Workbench name={name} draft={fresh(graphFrom(drawn), null)} />;
}

function Saved({ id }: { id: string }) {
  const asked = useQuery<Answer<'graph:v1'>, GatewayError>({
    queryKey: ['graph:v1', id], queryFn: ({ signal }) => run('graph:v1', { id }, signal), ...ONCE,
  });
  const found = asked.data?.data.graph;
  useEffect(() => {
    if (found) document.title = `${found.graph.name} · IntelGraph`;
  }, [found]);
  if (asked.error) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />;
  if (!asked.data) return <Loading what="the graph" />;
  return found ? <Workbench name={id} draft={fresh(graphFrom(found.drawn), found.graph)} /> : <NotHere />;
}
