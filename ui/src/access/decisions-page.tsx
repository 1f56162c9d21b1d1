import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { ChevronDown, ChevronRight, Scale } from 'lucide-react';

import { type Answer, type Data, type GatewayError, run } from '../gateway/run.ts';
import { purposesOf, READS, WRITES } from '../gateway/terms.ts';
import { useOperation } from '../gateway/use.ts';
import { count } from '../shell/amount.ts';
import { Badge } from '../shell/badge.tsx';
import { Button } from '../shell/button.tsx';
import { useMay } from '../shell/gate.tsx';
import { useRows } from '../shell/rows.ts';
import { Empty, Failed, Loaded, Loading, NotHere, Partial } from '../shell/states.tsx';
import table from '../shell/table.module.css';
import { Time } from '../shell/time.tsx';
import styles from './decisions-page.module.css';
import { Explanation } from './explanation.tsx';
import { AccessPart } from './parts.tsx';
import { decisionsRoute } from './routes.tsx';

type Decision = Data<'decisions:v2'>['decisions']['edges'][number]['node'];

const PAGE = 50;

/** What was decided, of whom, and why. */
export function DecisionsPage() {
  const { token, action, denied, request } = decisionsRoute.useSearch();
  const mayRead = useMay('decisions.read');
  const found = useInfiniteQuery<Answer<'decisions:v2'>, GatewayError, { pages: Answer<'decisions:v2'>[] }, unknown[], string | undefined>({
    queryKey: ['decisions:v2', token, action, denied, request],
    queryFn: ({ signal, pageParam }) => run('decisions:v2', { token, action, denied, request, first: PAGE, after: pageParam }, signal),
    initialPageParam: undefined,
    getNextPageParam: ({ data: { decisions: { pageInfo } } }) => (pageInfo.hasNextPage ? pageInfo.endCursor ?? undefined : undefined),
    enabled: mayRead,
    refetchOnWindowFocus: false,
  });
  if (!mayRead) return <NotHere />;
  const decisions = found.data?.pages.flatMap(({ data }) => data.decisions.edges.map(({ node }) => node)) ?? [];
  const damaged = found.data?.pages[0]?.data.decisions.damaged ?? [];
  return (
    <AccessPart at="decisions" actions={<Button onPress={() => void found.refetch()} isDisabled={found.isFetching}>Ask again</Button>}>
      <Filters />
      {damaged.length > 0 && <Partial shown={damaged.length} what="parts of the log could not be read">{damaged.join('; ')}</Partial>}
      {found.error && <Failed error={found.error} onRetry={() => void found.refetch()} />}
      {!found.data && !found.error && <Loading what="the decision log" />}
      {found.data && decisions.length === 0 && <Empty title="No such decision" icon={Scale} cli="intelgraph policy decisions --denied">As far back as the log is kept, nothing was decided that is like that.</Empty>}
      {decisions.length > 0 && <Table decisions={decisions} />}
      {found.hasNextPage && <Partial shown={decisions.length} what="newest decisions"><Button quiet onPress={() => void found.fetchNextPage()} isDisabled={found.isFetchingNextPage}>Next {PAGE}</Button></Partial>}
    </AccessPart>
  );
}

function Filters() {
  const { token, action, denied, request } = decisionsRoute.useSearch();
  const navigate = useNavigate({ from: decisionsRoute.fullPath });
  const change = (to: { token?: string; action?: string; denied?: true; request?: string }) => void navigate({ search: (before) => ({ ...before, at: undefined, ...to }), replace: true });
  return (
    <div className={styles.filters}>
      <label>Token <input type="search" value={token ?? ''} placeholder="any" autoComplete="off" spellCheck={false} onChange={(event) => change({ token: event.target.value.trim() || undefined })} /></label>
      <label>Action
        <select value={action ?? ''} onChange={(event) => change({ action: event.target.value || undefined })}>
          <option value="">any</option>{[...READS, ...WRITES].map((one) => <option key={one}>{one}</option>)}
        </select>
      </label>
      <label>Request <input type="search" value={request ?? ''} placeholder="any id" autoComplete="off" spellCheck={false} onChange={(event) => change({ request: event.target.value.trim() || undefined })} /></label>
      <label><input type="checkbox" checked={denied ?? false} onChange={(event) => change({ denied: event.target.checked || undefined })} /> Denied only</label>
    </div>
  );
}

function Table({ decisions }: { decisions: Decision[] }) {
  const { at } = decisionsRoute.useSearch();
  const navigate = useNavigate({ from: decisionsRoute.fullPath });
  const toggle = (id: string) => void navigate({ search: (before) => ({ ...before, at: before.at === id ? undefined : id }), replace: true, resetScroll: false });
  const rows = useRows(decisions.length, (index) => toggle(decisions[index]!.id));
  return (
    <table className={`${table.table} ${styles.decisions}`}>
      <thead><tr><th>When</th><th>Who</th><th>Did what</th><th>On</th><th>Outcome</th></tr></thead>
      <tbody ref={rows.body}>
        {decisions.flatMap((decision, index) => [
          <Row key={decision.id} decision={decision} isChosen={index === rows.at} isOpen={decision.id === at} onToggle={() => toggle(decision.id)} />,
          decision.id === at && <tr key={`${decision.id} why`} className={styles.why}><td colSpan={5}><Why decision={decision} /></td></tr>,
        ])}
      </tbody>
    </table>
  );
}

function Row({ decision, isChosen, isOpen, onToggle }: { decision: Decision; isChosen: boolean; isOpen: boolean; onToggle: () => void }) {
  const { lastAt, count: times, token, role, clearance, purposes, scopes, action, labelId, filter, allowed, because } = decision;
  const Arrow = isOpen ? ChevronDown : ChevronRight;
  return (
    <tr aria-current={isChosen || undefined} data-denied={!allowed || undefined}>
      <td className={table.nowrap}>
        <button type="button" aria-expanded={isOpen} className={styles.open} onClick={onToggle}><Arrow size={14} aria-hidden /> {lastAt.slice(11, 19)}</button>
        <div className={table.muted}><Time at={lastAt} />{times > 1 && `, ${count(times)} times`}</div>
      </td>
      <td data-name="who"><b>{role}</b>, {clearance}{scopes.length > 0 && ` + ${scopes.join(', ')}`}<div className={table.muted}><code>{token}</code> for {purposesOf(purposes)}</div></td>
      <td className={table.nowrap}><code>{action}</code></td>
      <td data-name="on" className={table.nowrap}>{filter ? <>a search or list<div className={table.muted}>saw {count(filter.allowed)} of {count(filter.of)} labels</div></> : labelId === null ? 'the tenant' : `label ${count(labelId)}`}</td>
      <td><Outcome allowed={allowed} because={because} /></td>
    </tr>
  );
}

/** Allowed by something, forbidden by something, or nothing permits it. */
function Outcome({ allowed, because }: { allowed: boolean; because: string[] }) {
  const by = because.length > 0 && <span className={styles.because}>{because.join(', ')}</span>;
  if (allowed) return <><Badge>allowed</Badge>{by}</>;
  return because.length ? <><Badge tone="bad">forbidden</Badge>{by}</> : <Badge tone="warn">nothing permits it</Badge>;
}

function Why({ decision }: { decision: Decision }) {
  const { tenant } = decisionsRoute.useParams();
  const mayExplain = useMay('policy.manage');
  const isOne = decision.filter === null;
  const found = useOperation('policyExplain:v2', { decision: decision.id }, { enabled: mayExplain && isOne });
  if (!mayExplain) return <p>Decided by {decision.because.join(', ') || 'no policy'}. Whoever may set the policy can have it explained.</p>;
  if (!isOne) {
    return (
      <p>A search or a list is decided for every label: {count(decision.filter!.allowed)} of {count(decision.filter!.of)} could be seen. What it showed stands here label by label.{' '}
        <Link to="/t/$tenant/access/explain" params={{ tenant }} search={{ token: decision.token, action: decision.action, on: 'label' }}>Ask about one label</Link>
      </p>
    );
  }
  return <Loaded asked={found} rows={4} what="the policy">{({ policyExplain }) => <>{policyExplain.map((one) => <Explanation key={one.labelId} of={one} />)}</>}</Loaded>;
}
