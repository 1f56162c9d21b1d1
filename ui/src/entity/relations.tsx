import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { ArrowLeft, ArrowRight, Waypoints } from 'lucide-react';
import { useRef, useState } from 'react';

import { type Answer, type GatewayError, run } from '../gateway/run.ts';
import type { Asked } from '../gateway/use.ts';
import { KindIcon } from '../kinds/icon.tsx';
import { wordsOf } from '../kinds/shapes.ts';
import { Button } from '../shell/button.tsx';
import { useKeys } from '../shell/keys.ts';
import { Empty, Failed, Loaded, Loading, NotHere, Partial } from '../shell/states.tsx';
import table from '../shell/table.module.css';
import { Time } from '../shell/time.tsx';
import { shorter } from './names.ts';
import styles from './relations.module.css';
import { entityRoute } from './routes.tsx';

const PAGE = 25;
type Direction = 'out' | 'in';

/** Relations by kind and direction, and those of one of them, a page at a time. */
export function Relations({ id, tenant, kinds }: { id: string; tenant: string; kinds: Asked<'relationKinds:v1'> }) {
  const { kind, direction, asOf } = entityRoute.useSearch();
  return (
    <Loaded asked={kinds}>
      {({ relationKinds }) => {
        if (!relationKinds) return <NotHere />;
        if (relationKinds.kinds.length === 0) {
          return <Empty title="No relations" icon={Waypoints}>Nothing that you may see is joined to this.</Empty>;
        }
        const total = relationKinds.kinds.reduce((sum, { count }) => sum + count, 0);
        return (
          <div className={styles.relations}>
            <nav aria-label="Kinds of relations" className={styles.kinds}>
              <KindLink total={total} isAt={!kind && !direction} more={!relationKinds.complete} />
              {(['OUT', 'IN'] as const).map((way) => relationKinds.kinds.filter((one) => one.direction === way).map((one) => (
                <KindLink key={`${way}${one.kind}`} name={one.kind} direction={way === 'OUT' ? 'out' : 'in'} total={one.count} isAt={kind?.[0] === one.kind && direction === (way === 'OUT' ? 'out' : 'in')} />
              )))}
            </nav>
            <List key={`${kind} ${direction} ${asOf}`} id={id} tenant={tenant} kind={kind?.[0]} direction={direction} asOf={asOf}
              total={relationKinds.kinds.filter((one) => (!kind || one.kind === kind[0]) && (!direction || one.direction === direction.toUpperCase())).reduce((sum, { count }) => sum + count, 0)} />
          </div>
        );
      }}
    </Loaded>
  );
}

function KindLink({ name, direction, total, isAt, more = false }: { name?: string; direction?: Direction; total: number; isAt: boolean; more?: boolean }) {
  const Arrow = direction === 'in' ? ArrowLeft : ArrowRight;
  return (
    <Link from={entityRoute.fullPath} to="." search={(before) => ({ ...before, kind: name ? [name] : undefined, direction })} className={styles.kind} aria-current={isAt || undefined}>
      {direction && <Arrow size={14} aria-label={direction === 'in' ? 'from others' : 'to others'} />}
      <span>{name ?? 'All'}</span>
      <b>{total.toLocaleString('en')}{more && '+'}</b>
    </Link>
  );
}

function List({ id, tenant, kind, direction, asOf, total }: { id: string; tenant: string; kind?: string; direction?: Direction; asOf?: string; total: number }) {
  const found = useInfiniteQuery<Answer<'relations:v3'>, GatewayError, { pages: Answer<'relations:v3'>[] }, unknown[], string | undefined>({
    queryKey: ['relations:v3', id, kind, direction, asOf],
    queryFn: ({ signal, pageParam }) => run('relations:v3', {
      id, kind, asOf, first: PAGE, after: pageParam, direction: direction === 'in' ? 'IN' : direction === 'out' ? 'OUT' : 'BOTH',
    }, signal),
    initialPageParam: undefined,
    getNextPageParam: ({ data }) => (data.relations?.pageInfo.hasNextPage ? data.relations.pageInfo.endCursor ?? undefined : undefined),
  });
  const [at, setAt] = useState(-1);
  const body = useRef<HTMLTableSectionElement>(null);
  const navigate = useNavigate();
  const rows = found.data?.pages.flatMap((page) => page.data.relations?.edges.map((edge) => edge.node) ?? []) ?? [];
  const move = (step: number) => {
    const to = Math.max(0, Math.min(rows.length - 1, at + step));
    setAt(to);
    body.current?.rows[to]?.scrollIntoView({ block: 'nearest' });
  };
  useKeys('Relations', [
    { key: 'j', does: 'Next row', run: () => move(1) },
    { key: 'k', does: 'Row before', run: () => move(-1) },
    { key: 'ArrowDown', does: 'Next row', run: () => move(1) },
    { key: 'ArrowUp', does: 'Row before', run: () => move(-1) },
    { key: 'Enter', does: 'Open the other end', run: () => rows[at]?.other && void navigate({ to: '/t/$tenant/e/$id', params: { tenant, id: rows[at].other.id } }) },
  ]);
  if (found.error) return <Failed error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Loading />;
  return (
    <div className={styles.list}>
      <table className={table.table}>
        <thead><tr><th>Relation</th><th>With</th><th>Since</th><th>Source</th><th>Record</th></tr></thead>
        <tbody ref={body}>
          {rows.map(({ id: relation, kind: name, from, other, since, until, source, lsn, status, weight }, index) => {
            const isOut = from === id;
            return (
              <tr key={`${relation}${isOut}`} aria-current={index === at || undefined}>
                <td className={table.nowrap}>
                  <Link to="/t/$tenant/e/$id" params={{ tenant, id: relation }} className={styles.name} title="The relation itself: what is said of it">
                    {isOut ? <ArrowRight size={14} aria-label="to" /> : <ArrowLeft size={14} aria-label="from" />} {name}
                  </Link>
                  {status !== 'active' && <span className={styles.status}>{status}</span>}
                  {weight !== null && <span className={table.muted}> {weight}</span>}
                </td>
                <td>
                  {other && (
                    <span className={styles.other}>
                      <KindIcon type={other.type} />
                      <span>
                        <Link to="/t/$tenant/e/$id" params={{ tenant, id: other.id }} title={other.id}>{other.title === other.id ? shorter(other.id) : other.title}</Link>
                        <span className={table.muted}> {wordsOf(other.type)}</span>
                      </span>
                    </span>
                  )}
                </td>
                <td className={table.nowrap} data-name="since">{since ? <Time at={since} /> : <span className={table.muted}>not said</span>}{until && <> until <Time at={until} /></>}</td>
                <td className={table.nowrap} data-name="said by">{source}</td>
                <td className={table.nowrap} data-name="record"><Link to="/t/$tenant/e/$id" params={{ tenant, id: relation }} search={{ tab: 'provenance' }}>{lsn.toLocaleString('en')}</Link></td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {found.hasNextPage && (
        <Partial shown={rows.length} total={total} what="relations">
          <Button quiet onPress={() => void found.fetchNextPage()} isDisabled={found.isFetchingNextPage}>Next {PAGE}</Button>
        </Partial>
      )}
    </div>
  );
}
