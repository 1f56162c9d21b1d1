import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Download } from 'lucide-react';
import { type ReactNode, useEffect } from 'react';

import { useGoing, useProgress } from '../gateway/progress.ts';
import type { GatewayError } from '../gateway/run.ts';
import { bytes, count, counted, duration } from '../shell/amount.ts';
import { Button } from '../shell/button.tsx';
import { useMay } from '../shell/gate.tsx';
import { Page, Pairs, Section } from '../shell/page.tsx';
import { Failed, Loaded, Loading, NotHere, Partial } from '../shell/states.tsx';
import table from '../shell/table.module.css';
import { Time } from '../shell/time.tsx';
import { type Run, tookOf, useRuns } from './list.ts';
import { firstRejects, type Reject, saveRejects } from './rejects.ts';
import { runRoute } from './routes.tsx';
import styles from './run-page.module.css';
import { RunState } from './state.tsx';

/** Rejects that are shown; a file has them all. */
const REJECTS_MAX = 200;

/** One import: what it read, how it ended, and what was refused. */
export function RunPage() {
  const { run: number } = runRoute.useParams();
  const asked = useRuns();
  const mayImport = useMay('import.run');
  useEffect(() => {
    document.title = `Import ${number} · IntelGraph`;
  }, [number]);
  if (!mayImport) return <NotHere />;
  return (
    <Loaded asked={asked} what="the import">
      {({ runs }) => {
        const run = runs.edges.find(({ node }) => node.run === number)?.node;
        return run ? <Shown run={run} /> : <NotHere />;
      }}
    </Loaded>
  );
}

function Shown({ run }: { run: Run }) {
  const { tenant } = runRoute.useParams();
  const took = tookOf(run);
  return (
    <Page title={<>Import {run.run} <RunState of={run.state} /></>} lead={<><Link to="/t/$tenant/sources" params={{ tenant }} search={{ tab: 'imports' }}>Imports</Link> into <Link to="/t/$tenant/sources/$name" params={{ tenant, name: run.source }}>{run.source}</Link></>}>
      {run.ended ? (
        <dl className={styles.counts}>
          {([['Read', run.read], ['New', run.created], ['Changed', run.updated], ['As before', run.unchanged], ['Rejected', run.rejected]] as const).map(([word, number]) => (
            <div key={word} data-bad={(word === 'Rejected' && number > 0) || undefined}><dt>{word}</dt><dd>{count(number)}</dd></div>
          ))}
        </dl>
      ) : <Running run={run} took={took} />}
      <Section title="How it went">
        <Pairs of={[
          ['Began', <Moment key="began" at={run.began} />],
          ['Ended', run.ended ? <Moment key="ended" at={run.ended} /> : 'not yet'],
          ['Took', run.ended && took > 0 && run.read > 0 ? `${duration(took)}, ${count(Math.round(run.read / took))} objects a second` : duration(took)],
          ['Process', run.process],
          ['Files', run.inputs.length ? <ul key="files">{run.inputs.map((input) => <li key={input}><code>{input.replace(/^dataset:file:/, '')}</code></li>)}</ul> : run.ended ? 'not recorded: the node stopped before' : 'told at its end'],
          ...run.mappings.map(({ input, sha256, inferred }): [string, ReactNode] => ['Mapping', <span key={input}>{input.replace(/^dataset:file:/, '')}: {inferred ? 'made from the file' : 'declared'}, SHA-256 <code>{sha256}</code></span>]),
          ['Into', <code key="into">{run.outputs.join(', ')}</code>],
        ]} />
      </Section>
      {run.rejected > 0 && <Rejects run={run} />}
    </Page>
  );
}

/** How far it has come: what the node says of it as it happens. */
function Running({ run: { run: number }, took }: { run: Run; took: number }) {
  const { link } = useProgress();
  const going = useGoing(({ run }) => run === number);
  if (going?.read === undefined) return <p role="status" className={styles.running}>It runs since {duration(took)}; what it did is counted at its end. You may close this page.</p>;
  const { phase, file, file_number: nth = 0, bytes_read: done = 0, bytes: all, bytes_per_second: speed = 0, objects_per_second: rate = 0, seconds_left: left, seconds = 0 } = going;
  return (
    <section className={styles.going} aria-label="How far it is">
      <dl className={styles.counts}>
        {([['Read', going.read], ['New', going.created], ['Changed', going.updated], ['As before', going.unchanged], ['Rejected', going.rejected]] as const).map(([word, number = 0]) => (
          <div key={word} data-bad={(word === 'Rejected' && number > 0) || undefined}><dt>{word}</dt><dd>{count(number)}</dd></div>
        ))}
      </dl>
      {phase === 'reading' && all ? <progress aria-label="Bytes read" max={all} value={done} /> : <progress aria-label="It runs" />}
      <p role="status" className={styles.line}>
        <span>{phase === 'settling' ? 'All is read; relations whose ends came later are settled' : <>Reading {file && <code>{file}</code>}{nth > 1 && `, file ${count(nth)}`}</>}</span>
        {phase === 'reading' && <span>{bytes(done)}{all ? ` of ${bytes(all)}` : ''}</span>}
        {phase === 'reading' && <span>{bytes(speed)} and {counted(rate, 'object')} a second</span>}
        {left !== null && left !== undefined && <span>about {duration(left)} left</span>}
        <span>{link === 'live' ? `since ${duration(seconds)}` : 'as it was when the node last answered'}</span>
      </p>
      <p className={styles.close}>You may close this page.</p>
    </section>
  );
}

const Moment = ({ at }: { at: string }) => <span><Time at={at} />, {at.slice(11, 19)} UTC</span>;

/** What was refused: by reason first, then one by one. */
function Rejects({ run: { run, rejected } }: { run: Run }) {
  const asked = useQuery<{ rejects: Reject[]; isAll: boolean }, GatewayError>({ queryKey: ['rejects', run], queryFn: ({ signal }) => firstRejects(run, signal) });
  const all = asked.data?.rejects ?? [];
  const shown = all.slice(0, REJECTS_MAX);
  if (asked.error) return asked.error.status === 404 ? <Section title="Rejects"><p className={styles.none}>The list of them is no longer on the node.</p></Section> : <Failed error={asked.error} onRetry={() => void asked.refetch()} />;
  if (!asked.data) return <Loading rows={4} what="the rejects" />;
  return (
    <Section title={`${counted(rejected, 'reject')}`} note={<Button onPress={() => void saveRejects(run)}><Download size={14} aria-hidden /> Save all of them</Button>}>
      <ul className={styles.codes}>{byCode(all).map(([code, number]) => <li key={code}><b>{count(number)}{!asked.data.isAll && '+'}</b> {code.replaceAll('_', ' ')}</li>)}</ul>
      {(shown.length < all.length || !asked.data.isAll) && <Partial shown={shown.length} total={rejected} what="rejects">The file has them all.</Partial>}
      <table className={`${table.table} ${table.flush}`}>
        <thead><tr><th>Line</th><th>Reason</th><th>Value</th></tr></thead>
        <tbody>
          {shown.map(({ file, line, column, code, reason, value }, index) => (
            <tr key={index}>
              <td className={table.nowrap} data-name="line">{line !== undefined && count(line)}{column && `, ${column}`}<div className={table.muted}>{file}</div></td>
              <td>{reason}<div className={table.muted}>{code}</div></td>
              <td><code>{value}</code></td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

/** How many were refused for which reason, the most first. */
function byCode(rejects: Reject[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { code = 'other' } of rejects) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}
