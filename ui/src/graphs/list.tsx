import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Plus, Users, Waypoints } from 'lucide-react';
import { useState } from 'react';

import { type Answer, type GatewayError, run } from '../gateway/run.ts';
import { Button } from '../shell/button.tsx';
import { useKeys } from '../shell/keys.ts';
import { Page } from '../shell/page.tsx';
import { Empty, Failed, Loading } from '../shell/states.tsx';
import table from '../shell/table.module.css';
import { Time } from '../shell/time.tsx';
import { forget, nameOf } from './drafts.ts';
import styles from './list.module.css';
import { graphsRoute } from './routes.tsx';

const PAGE = 50;

/** Saved graphs: one's own, and those that others share. */
export function GraphsPage() {
  const { tenant } = graphsRoute.useParams();
  const navigate = useNavigate();
  const [at, setAt] = useState(-1);
  const found = useInfiniteQuery<Answer<'graphs:v1'>, GatewayError, { pages: Answer<'graphs:v1'>[] }, unknown[], string | undefined>({
    queryKey: ['graphs:v1'],
    queryFn: ({ signal, pageParam }) => run('graphs:v1', { first: PAGE, after: pageParam }, signal),
    initialPageParam: undefined,
    getNextPageParam: ({ data }) => (data.graphs.pageInfo.hasNextPage ? data.graphs.pageInfo.endCursor ?? undefined : undefined),
  });
  const graphs = found.data?.pages.flatMap((page) => page.data.graphs.edges.map(({ node }) => node)) ?? [];
  const begin = () => {
    forget(nameOf('new', undefined));
    void navigate({ to: '/t/$tenant/graphs/$id', params: { tenant, id: 'new' } });
  };
  const step = (by: number) => setAt(Math.max(0, Math.min(graphs.length - 1, at + by)));
  useKeys('Graphs', [
    { key: 'j', does: 'Next graph', run: () => step(1) },
    { key: 'k', does: 'Graph before', run: () => step(-1) },
    { key: 'Enter', does: 'Open it', run: () => graphs[at] && void navigate({ to: '/t/$tenant/graphs/$id', params: { tenant, id: graphs[at].id } }) },
  ]);
  const action = <Button main onPress={begin}><Plus size={14} aria-hidden /> New graph</Button>;
  return (
    <Page title="Graphs" lead="Working graphs: what you put together, with your notes, for whom you share it with." actions={action}>
      {found.error && !found.data && <Failed error={found.error} onRetry={() => void found.refetch()} />}
      {found.isPending && <Loading />}
      {found.data && graphs.length === 0 && (
        <Empty title="No graph yet" icon={Waypoints} action={action}>
          Begin with an empty one, or press Graph on the page of an entity. What you save is here, and what others share with you.
        </Empty>
      )}
      {graphs.length > 0 && (
        <table className={table.table}>
          <thead><tr><th>Graph</th><th>Note</th><th>Whose</th><th>Saved</th></tr></thead>
          <tbody>
            {graphs.map(({ id, name, note, own, shared, savedAt }, index) => (
              <tr key={id} aria-current={index === at || undefined}>
                <th scope="row"><Link to="/t/$tenant/graphs/$id" params={{ tenant, id }}>{name}</Link></th>
                <td className={styles.note}>{note || <span className={table.muted}>none</span>}</td>
                <td className={table.nowrap}>
                  {own ? 'yours' : 'somebody else’s'}
                  {shared && <span className={styles.shared}><Users size={14} aria-hidden /> shared</span>}
                </td>
                <td className={table.nowrap}><Time at={savedAt} ago /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {found.hasNextPage && <Button onPress={() => void found.fetchNextPage()} isDisabled={found.isFetchingNextPage}>Next {PAGE}</Button>}
    </Page>
  );
}
