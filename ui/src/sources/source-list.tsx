import { Link, useNavigate } from '@tanstack/react-router';
import { Database, Plus } from 'lucide-react';
import { useMemo } from 'react';

import { type Asked, useOperation } from '../gateway/use.ts';
import { count } from '../shell/amount.ts';
import { Classification } from '../shell/badge.tsx';
import button from '../shell/button.module.css';
import { useMay } from '../shell/gate.tsx';
import { Empty, Loaded, Partial } from '../shell/states.tsx';
import table from '../shell/table.module.css';
import { Time } from '../shell/time.tsx';
import { lastRuns, type Run, type Source, useThings } from './list.ts';
import styles from './page.module.css';
import { sourcesRoute } from './routes.tsx';
import { useRows } from '../shell/rows.ts';
import { RunState } from './state.tsx';

const SOURCES_MAX = 1_000;
/** Sources from which on a field finds some among them. */
const FIND_FROM = 8;

/** Every source of which the reader may see anything, with its terms and its last import. */
export function SourceList({ tenant, runs }: { tenant: string; runs: Asked<'runs:v2'> }) {
  const asked = useOperation('sources:v1', { first: SOURCES_MAX });
  const mayImport = useMay('import.run');
  return (
    <Loaded asked={asked} what="the sources">
      {({ sources }) => sources.edges.length === 0 ? (
        <Empty title="No source yet" icon={Database} cli="intelgraph import FILE --format stix --source NAME --purpose threat-intel --licence Open-Data-OK"
          action={mayImport && <Link to="/t/$tenant/sources/-/import" params={{ tenant }} className={`${button.button} ${button.main}`}><Plus size={14} aria-hidden /> Import a file</Link>}>
          A source is made by its first import, with the terms that its data carry.
        </Empty>
      ) : (
        <>
          {sources.pageInfo.hasNextPage && <Partial shown={sources.edges.length} what="sources">A search with <code>source:</code> finds the others by name.</Partial>}
          <List tenant={tenant} sources={sources.edges.map(({ node }) => node)} runs={runs.data?.data.runs.edges.map(({ node }) => node) ?? []} />
        </>
      )}
    </Loaded>
  );
}

function List({ tenant, sources, runs }: { tenant: string; sources: Source[]; runs: Run[] }) {
  const { find, order = 'name' } = sourcesRoute.useSearch();
  const navigate = useNavigate({ from: sourcesRoute.fullPath });
  const things = useThings();
  const last = useMemo(() => lastRuns(runs), [runs]);
  const mayImport = useMay('import.run');
  const orders: Record<string, (a: Source, b: Source) => number> = {
    name: (a, b) => a.name.localeCompare(b.name),
    things: (a, b) => (things?.get(b.name) ?? 0) - (things?.get(a.name) ?? 0),
    newest: (a, b) => (last.get(b.name)?.began ?? '').localeCompare(last.get(a.name)?.began ?? ''),
  };
  const shown = sources.filter(({ name, licence, purposes }) => `${name} ${licence} ${purposes.join(' ')}`.toLowerCase().includes((find ?? '').toLowerCase())).toSorted(orders[order]!);
  const rows = useRows(shown.length, (at) => void navigate({ to: '/t/$tenant/sources/$name', params: { tenant, name: shown[at]!.name } }));
  return (
    <>
      <div className={styles.tools}>
        {sources.length >= FIND_FROM && <input type="search" aria-label="Find among the sources" placeholder="Find among the sources" value={find ?? ''} onChange={(event) => void navigate({ search: (before) => ({ ...before, find: event.target.value || undefined }), replace: true })} />}
        <label>Order
          <select value={order} onChange={(event) => void navigate({ search: (before) => ({ ...before, order: event.target.value === 'name' ? undefined : event.target.value as 'things' }) })}>
            <option value="name">Name</option><option value="things">Most things</option>{mayImport && <option value="newest">Last import</option>}
          </select>
        </label>
        <p role="status">{find ? `${shown.length} of ${sources.length} sources` : `${count(sources.length)} ${sources.length === 1 ? 'source' : 'sources'}`}</p>
      </div>
      <table className={`${table.table} ${styles.list}`}>
        <thead><tr><th>Name</th><th className={styles.number}>Things</th><th>Classification</th><th>Licence</th><th>Purposes</th><th>Kept</th>{mayImport && <th>Last import</th>}</tr></thead>
        <tbody ref={rows.body}>
          {shown.map(({ name, classification, licence, purposes, retention, personal }, index) => (
            <tr key={name} aria-current={index === rows.at || undefined}>
              <th scope="row"><Link to="/t/$tenant/sources/$name" params={{ tenant, name }}>{name}</Link></th>
              <td className={styles.number} data-name="things">{things ? count(things.get(name) ?? 0) : '…'}</td>
              <td><Classification of={classification} />{personal && <span className={table.muted}> personal data</span>}</td>
              <td className={table.nowrap} data-name="licence">{licence}</td>
              <td><ul className={styles.purposes}>{purposes.map((purpose) => <li key={purpose}>{purpose}</li>)}</ul></td>
              <td className={table.nowrap} data-name="kept">{retention}</td>
              {mayImport && <td><Last run={last.get(name)} tenant={tenant} /></td>}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Last({ run, tenant }: { run?: Run; tenant: string }) {
  if (!run) return <span className={styles.last}>none of yours</span>;
  return (
    <span className={styles.last}>
      <RunState of={run.state} />
      <Link to="/t/$tenant/sources/-/imports/$run" params={{ tenant, run: run.run }}><Time at={run.ended ?? run.began} ago /></Link>
      {run.rejected > 0 && <span className={styles.rejected}>{count(run.rejected)} rejected</span>}
    </span>
  );
}
