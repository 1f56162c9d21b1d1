import { Link } from '@tanstack/react-router';

import { useOperation } from '../gateway/use.ts';
import { count } from '../shell/amount.ts';
import { Badge } from '../shell/badge.tsx';
import { Section } from '../shell/page.tsx';
import { Loaded, Partial } from '../shell/states.tsx';
import table from '../shell/table.module.css';
import { Time } from '../shell/time.tsx';
import { policyRoute } from './routes.tsx';

const VERSIONS_MAX = 100;

/** What every tenant begins with. */
const BUILT_IN = { version: 0, setAt: null, setBy: null, confirmed: [] as string[] };
const nameOf = (version: number) => (version === 0 ? 'built-in' : count(version));

/** Every version of the policy: when and by whom it was set, and which dangers were confirmed. */
export function PolicyHistory({ shown }: { shown?: string }) {
  const { tenant } = policyRoute.useParams();
  const asked = useOperation('policyHistory:v1', { first: VERSIONS_MAX });
  return (
    <Section title="History" note="Each version is a record in the ledger">
      <Loaded asked={asked} rows={3} what="the history">
        {({ policyHistory: { edges, pageInfo } }) => (
          <>
            <table className={`${table.table} ${table.flush}`}>
              <thead><tr><th>Version</th><th>Set</th><th>By token</th><th>Dangers confirmed</th></tr></thead>
              <tbody>
                {[...edges.map(({ node }) => node), ...(pageInfo.hasNextPage ? [] : [BUILT_IN])].map(({ version, setAt, setBy, confirmed }, index) => (
                  <tr key={version} aria-current={String(version) === shown || undefined}>
                    <th scope="row">{index === 0 ? <>{nameOf(version)} <Badge>in force</Badge></> : <Link to="/t/$tenant/access/policy" params={{ tenant }} search={{ v: String(version) }}>{nameOf(version)}</Link>}</th>
                    <td data-name="set">{setAt ? <><Time at={setAt} />, {setAt.slice(11, 16)} UTC</> : <span className={table.muted}>with the tenant</span>}</td>
                    <td data-name="by">{setBy ? <code>{setBy}</code> : <span className={table.muted}>the program</span>}</td>
                    <td data-name="confirmed">{confirmed.length ? confirmed.join(', ') : <span className={table.muted}>none</span>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {pageInfo.hasNextPage && <Partial shown={edges.length} what="newest versions"><code>intelgraph policy show --history</code> has them all</Partial>}
          </>
        )}
      </Loaded>
    </Section>
  );
}
