import { Link, useNavigate } from '@tanstack/react-router';
import { Inbox, Plus } from 'lucide-react';
import { useState } from 'react';

import { useGoing } from '../gateway/progress.ts';
import type { Asked } from '../gateway/use.ts';
import { count, duration } from '../shell/amount.ts';
import { Button } from '../shell/button.tsx';
import button from '../shell/button.module.css';
import { useRows } from '../shell/rows.ts';
import { Empty, Loaded, Partial } from '../shell/states.tsx';
import table from '../shell/table.module.css';
import { Time } from '../shell/time.tsx';
import { type Run, RUNS_MAX, tookOf } from './list.ts';
import styles from './page.module.css';
import { sourcesRoute } from './routes.tsx';
import { RunState } from './state.tsx';

const PAGE = 50;
const STATES = ['running', 'complete', 'failed', 'interrupted'] as const;

/** What was imported when, and how it ended. */
export function Runs({ tenant, runs }: { tenant: string; runs: Asked<'runs:v2'> }) {
  const { state, find } = sourcesRoute.useSearch();
  const navigate = useNavigate({ from: sourcesRoute.fullPath });
  return (
    <Loaded asked={runs} what="the imports">
      {({ runs: { edges, pageInfo } }) => {
        if (edges.length === 0) {
          return (
            <Empty title="No import yet" icon={Inbox} cli="intelgraph import FILE --format jsonl --source NAME --purpose threat-intel --licence Open-Data-OK"
              action={<Link to="/t/$tenant/sources/-/import" params={{ tenant }} className={`${button.button} ${button.main}`}><Plus size={14} aria-hidden /> Import a file</Link>}>
              Each import stands here with what it read, what was new, and what was refused.
            </Empty>
          );
        }
        const found = edges.map(({ node }) => node).filter((run) => (!state || run.state === state) && run.source.toLowerCase().includes((find ?? '').toLowerCase()));
        return (
          <>
            <div className={styles.tools}>
              <input type="search" aria-label="Find by source" placeholder="Find by source" value={find ?? ''} onChange={(event) => void navigate({ search: (before) => ({ ...before, find: event.target.value || undefined }), replace: true })} />
              <label>State
                <select value={state ?? ''} onChange={(event) => void navigate({ search: (before) => ({ ...before, state: (event.target.value || undefined) as typeof state }) })}>
                  <option value="">All</option>{STATES.map((one) => <option key={one}>{one}</option>)}
                </select>
              </label>
              <p role="status">{count(found.length)} {found.length === 1 ? 'import' : 'imports'}</p>
            </div>
            {pageInfo.hasNextPage && <Partial shown={RUNS_MAX} what="newest imports">Older ones are in the ledger.</Partial>}
            {found.length === 0 ? <Empty title="No such import" icon={Inbox}>None of those that you may see is like that.</Empty> : <RunTable key={`${state} ${find}`} tenant={tenant} runs={found} />}
          </>
        );
      }}
    </Loaded>
  );
}

/** Imports, a row each, a page at a time; without their source they are part of its page. */
export function RunTable({ tenant, runs, bySource = true }: { tenant: string; runs: Run[]; bySource?: boolean }) {
  const [shown, setShown] = useState(PAGE);
  const some = runs.slice(0, shown);
  const navigate = useNavigate();
  const rows = useRows(some.length, (at) => void navigate({ to: '/t/$tenant/sources/-/imports/$run', params: { tenant, run: some[at]!.run } }));
  return (
    <>
      <table className={`${table.table} ${styles.list} ${bySource ? '' : table.flush}`}>
        <thead>
          <tr>
            <th>Began</th>{bySource && <th>Source</th>}<th>State</th><th className={styles.number}>Took</th>
            <th className={styles.number}>Read</th><th className={styles.number}>New</th><th className={styles.number}>Changed</th><th className={styles.number}>As before</th><th className={styles.number}>Rejected</th>
          </tr>
        </thead>
        <tbody ref={rows.body}>
          {some.map((run, index) => (
            <tr key={run.run} aria-current={index === rows.at || undefined}>
              <th scope="row">
                <Link to="/t/$tenant/sources/-/imports/$run" params={{ tenant, run: run.run }}><Time at={run.began} ago /></Link>
                <div className={styles.files}>{filesOf(run)}</div>
              </th>
              {bySource && <td data-name="source"><Link to="/t/$tenant/sources/$name" params={{ tenant, name: run.source }}>{run.source}</Link></td>}
              <td><RunState of={run.state} /></td>
              <td className={styles.number} data-name="took">{duration(tookOf(run))}</td>
              {run.ended ? (
                <>
                  <td className={styles.number} data-name="read">{count(run.read)}</td>
                  <td className={styles.number} data-name="new">{count(run.created)}</td>
                  <td className={styles.number} data-name="changed">{count(run.updated)}</td>
                  <td className={styles.number} data-name="as before">{count(run.unchanged)}</td>
                  <td className={styles.number} data-name="rejected">{run.rejected > 0 ? <span className={styles.rejected}>{count(run.rejected)}</span> : '0'}</td>
                </>
              ) : <RunningCells run={run.run} />}
            </tr>
          ))}
        </tbody>
      </table>
      {some.length < runs.length && <Partial shown={some.length} total={runs.length} what="imports"><Button quiet onPress={() => setShown(shown + PAGE)}>Next {PAGE}</Button></Partial>}
    </>
  );
}

/** How far an import has come, where the counts of its end will stand. */
function RunningCells({ run: number }: { run: string }) {
  const going = useGoing(({ run }) => run === number);
  if (going?.read === undefined) return <td colSpan={5} className={table.muted}>counted at its end</td>;
  return (
    <>
      {([['read', going.read], ['new', going.created], ['changed', going.updated], ['as before', going.unchanged], ['rejected', going.rejected]] as const).map(([name, number = 0]) => (
        <td key={name} className={`${styles.number} ${table.muted}`} data-name={name}>{count(number)}</td>
      ))}
    </>
  );
}

/** The names of the files of an import; of many the first. */
export function filesOf({ inputs, process }: Run): string {
  const names = inputs.map((input) => input.replace(/^dataset:file:/, ''));
  if (names.length === 0) return process;
  return names.length === 1 ? names[0]! : `${names[0]} and ${names.length - 1} more`;
}
