import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';

import { type Answer, type GatewayError, run } from '../gateway/run.ts';
import { Failed, Loading, NotHere } from '../shell/states.tsx';
import { EMPTY } from './model.ts';
import { graphRoute } from './routes.tsx';
import { graphFrom } from './work.ts';
import { Workbench } from './workbench.tsx';

/** A graph: a saved one, or one that begins with what its address names. */
export function GraphPage() {
  const { id } = graphRoute.useParams();
  const { seed } = graphRoute.useSearch();
  return id === 'new' ? <New key={seed} seed={seed} /> : <Saved key={id} id={id} />;
}

/** Ids in an address: with commas between, each once. */
const idsOf = (seed: string | undefined) => [...new Set(seed?.split(',').filter(Boolean) ?? [])];

/** Asked for once: what somebody works on does not change under their hands. */
const ONCE = { staleTime: Infinity, gcTime: 0, refetchOnWindowFocus: false } as const;

function New({ seed }: { seed?: string }) {
  const ids = idsOf(seed);
  const asked = useQuery<Answer<'graphAdd:v1'>, GatewayError>({
    queryKey: ['graphAdd:v1', seed], queryFn: ({ signal }) => run('graphAdd:v1', { ids }, signal), enabled: ids.length > 0, ...ONCE,
  });
  useEffect(() => {
    document.title = 'New graph · IntelGraph';
  }, []);
  if (ids.length === 0) return <Workbench initial={EMPTY} saved={null} />;
  if (asked.error) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />;
  if (!asked.data) return <Loading what="the things of this graph" />;
  const drawn = asked.data.data.graphAdd;
  return drawn.nodes.length === 0 ? <NotHere /> : <Workbench initial={graphFrom(drawn)} saved={null} />;
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
  return found ? <Workbench initial={graphFrom(found.drawn)} saved={found.graph} /> : <NotHere />;
}
