import { useQuery } from '@tanstack/react-query';

import { failure, type GatewayError, json, send } from '../gateway/run.ts';
import { type Progress, useProgress } from '../gateway/progress.ts';
import { type Asked, useOperation } from '../gateway/use.ts';
import { bytes, count } from '../shell/amount.ts';
import { CopyButton } from '../shell/copy.tsx';
import { useMay } from '../shell/gate.tsx';
import { Page, Section } from '../shell/page.tsx';
import { Degraded, Loaded, Loading, Withheld } from '../shell/states.tsx';
import { Doctor } from './doctor.tsx';
import { Followers } from './followers.tsx';
import { Gauge, Gauges } from '../shell/gauge.tsx';
import { Load } from './load.tsx';
import { Refused } from './refused.tsx';
import { type Measured, useMetrics, valueOf } from './metrics.ts';
import styles from './page.module.css';

/** Metrics and readiness, which belong to no tenant, are asked for again so often, in milliseconds. */
const EVERY_MS = 5_000;
/** Writes are refused when less than this is free, in bytes; more, if a single batch is large. */
const FREE_BYTES_MIN = 64 * 1024 * 1024;
/** So much of free disk is little, in bytes. */
const FREE_BYTES_LITTLE = 2_000_000_000;

export function NodePage() {
  const asked = useOperation('node:v1', {});
  const { progress } = useProgress();
  const ready = useReady();
  const measured = useMetrics(EVERY_MS);
  const mayManage = useMay('node.manage');
  const now = measured.data?.at(-1);
  return (
    <Page title="Node" lead="Whether it takes writes and gives answers, how far search has come, and what room is left.">
      <Strips ready={ready} now={now} />
      <Health asked={asked} progress={progress} ready={ready} now={now} />
      <Section title="Followers" note="Indexes made from the log; each can be made again from it">
        <Loaded asked={asked} rows={2}>{({ node }) => <Followers node={progress ?? node} measured={measured.data ?? []} />}</Loaded>
      </Section>
      {mayManage && <Doctor />}
      {measured.data ? (
        <div className={styles.beside}>
          <Section title="Load" note={<>Of the whole node, since this page is open <CopyButton text={`curl ${location.origin}/metrics`} what="the command that gives all of it" /></>}><Load measured={measured.data} /></Section>
          <Section title="Limits" note="Since the node started"><Refused metrics={now!.metrics} /></Section>
        </div>
      ) : measured.error ? <Degraded>The node’s metrics could not be read, so disk, memory and load are not shown: {measured.error.message}</Degraded> : <Loading rows={4} />}
    </Page>
  );
}

/** Whether the store takes writes and gives answers; if not, why. */
function useReady() {
  return useQuery<{ cause: string | null }, GatewayError>({
    queryKey: ['readyz'],
    queryFn: async ({ signal }) => {
      const response = await send('/readyz', { signal });
      const document = await json(response);
      if (!response.ok && response.status !== 503) throw failure(response, document.error);
      return { cause: response.ok ? null : document.error?.message ?? 'The node says that it is not ready.' };
    },
    refetchInterval: EVERY_MS,
  });
}

/** What needs somebody, said first. */
function Strips({ ready, now }: { ready: ReturnType<typeof useReady>; now?: Measured }) {
  const value = (name: string) => (now ? valueOf(now.metrics, name) ?? 0 : 0);
  const free = now && valueOf(now.metrics, 'disk_free_bytes');
  return (
    <>
      {ready.data?.cause && <Degraded stopped>The store has stopped: nothing is written and nothing is read. {ready.data.cause} Start the node again; what was acknowledged is on disk.</Degraded>}
      {free !== undefined && free < FREE_BYTES_MIN && <Degraded stopped>Writes are refused: {bytes(free)} of disk are free, {bytes(FREE_BYTES_MIN)} are needed. Reading goes on. Make room, and writing goes on by itself.</Degraded>}
      {free !== undefined && free >= FREE_BYTES_MIN && free < FREE_BYTES_LITTLE && <Degraded>Disk runs out: {bytes(free)} are free. Writes will be refused below {bytes(FREE_BYTES_MIN)}.</Degraded>}
      {value('denied_after_filter_total') > 0 && <Degraded stopped>{count(value('denied_after_filter_total'))} hits were found by an index and then refused by the policy. Nobody saw them, but this must be 0: please report it.</Degraded>}
      {value('decisions_dropped_total') > 0 && <Degraded>{count(value('decisions_dropped_total'))} decisions are missing in the decision log, because the disk did not keep up.</Degraded>}
    </>
  );
}

function Health({ asked, progress, ready, now }: { asked: Asked<'node:v1'>; progress?: Progress; ready: ReturnType<typeof useReady>; now?: Measured }) {
  const node = asked.data?.data.node;
  const value = (name: string) => now && valueOf(now.metrics, name);
  const free = value('disk_free_bytes');
  const at = progress ?? node;
  const behind = at && Math.max(0, ...at.followers.map(({ lsn }) => at.lsn - lsn));
  const elided = (amount: number | null | undefined) => (node && amount === null ? <Withheld /> : amount === null || amount === undefined ? undefined : count(amount));
  return (
    <Gauges>
      <Gauge name="Store" value={ready.data && (ready.data.cause ? 'Stopped' : 'Ready')} tone={ready.data?.cause ? 'bad' : undefined}>takes writes and gives answers</Gauge>
      <Gauge name="Search" value={behind === undefined ? undefined : behind === 0 ? 'Current' : `${count(behind)} behind`} tone={behind ? 'warn' : undefined}>{behind ? 'records that cannot be found by words yet' : 'every record can be found by words'}</Gauge>
      <Gauge name="Disk free" value={free === undefined ? undefined : bytes(free)} tone={free === undefined ? undefined : free < FREE_BYTES_MIN ? 'bad' : free < FREE_BYTES_LITTLE ? 'warn' : undefined}>writes stop below {bytes(FREE_BYTES_MIN)}</Gauge>
      <Gauge name="Database" value={value('store_allocated_bytes') && bytes(value('store_allocated_bytes')!)}>what the ground state takes on disk</Gauge>
      <Gauge name="Memory" value={value('process_resident_memory_bytes') && bytes(value('process_resident_memory_bytes')!)}>of the process, in RAM</Gauge>
      <Gauge name="Log" value={at && count(at.lsn)}>records of tenant {node?.tenant ?? '…'}</Gauge>
      <Gauge name="Entities" value={elided(node?.entities)}>in this tenant</Gauge>
      <Gauge name="Relations" value={elided(node?.relations)}>in this tenant</Gauge>
      <Gauge name="Version" value={node?.version}>of the program</Gauge>
    </Gauges>
  );
}
