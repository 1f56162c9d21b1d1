import { Link, useNavigate } from '@tanstack/react-router';
import { SlidersHorizontal } from 'lucide-react';
import { useEffect } from 'react';

import { useOperation } from '../gateway/use.ts';
import { count } from '../shell/amount.ts';
import { CopyButton } from '../shell/copy.tsx';
import { useMay, useSession } from '../shell/gate.tsx';
import { Gauge, Gauges } from '../shell/gauge.tsx';
import { Page, Section } from '../shell/page.tsx';
import { Segments } from '../shell/segments.tsx';
import { Degraded, Empty, Failed, Loaded, NotHere, Stale } from '../shell/states.tsx';
import { Asking } from './asking.tsx';
import { Curve } from './curve.tsx';
import { PerQuery } from './per-query.tsx';
import { UNTIL, WITHOUT } from './reasons.ts';
import { tuningRoute } from './routes.tsx';
import { curveOf, MEASURES, nearest } from './tuned.ts';
import styles from './tuning-page.module.css';
import { begin, change, stop, type Tuned, useTuning } from './tuning.ts';
import { Weights } from './weights.tsx';

const FLAG = 'keyword-weight';
/** A difference is hardly chance if one of its size comes about less often than this, where there is none. */
const CHANCE_MAX = 0.05;

/** Which weight of words against meaning serves judged queries best, and setting it. */
export function TuningPage() {
  const { tenant } = tuningRoute.useParams();
  const { token } = useSession();
  const may = useMay('flag.manage');
  const tuning = useTuning(tenant);
  const flags = useOperation('flags:v1', {}, { enabled: may });
  useEffect(() => () => stop(tenant), [tenant, token]);
  useEffect(() => {
    document.title = 'Weight of words · IntelGraph';
  }, []);
  if (!may) return <NotHere />;
  return (
    <Page title="Words against meaning" lead={<>What a search by words and meaning makes of each weight, by queries of which somebody has said what is relevant to them; and the weight of tenant {tenant}.</>}
      actions={<Link to="/t/$tenant/search" params={{ tenant }} className={styles.back}>Back to searching</Link>}>
      <WithoutMeaning />
      <Loaded asked={flags} rows={3} what="the tenant’s weight">
        {({ flags }) => {
          const flag = flags.find(({ name }) => name === FLAG);
          const now = flag && Number(flag.inForce);
          return (
            <>
              <Asking tuning={tuning} onChange={(to) => change(tenant, to)} onBegin={() => void begin(tenant, tuning)} onStop={() => stop(tenant)} />
              {tuning.error && <Failed error={tuning.error} onRetry={() => void begin(tenant, tuning)} />}
              {tuning.tuned && now !== undefined && <Found tuned={tuning.tuned} among={tuning.among ?? 'all'} now={now} tenant={tenant} />}
              {!tuning.tuned && !tuning.error && !tuning.asking && <Nothing now={now} />}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

/** Asks as a search would whether meaning is looked for at all: without it there is nothing to weigh. */
function WithoutMeaning() {
  const asked = useOperation('searchHybrid:v1', { q: 'weight', first: 1, mode: 'HYBRID' });
  const reason = asked.data?.data.searchHybrid.vector?.reason;
  if (!reason || UNTIL[reason] === undefined) return null;
  return (
    <Degraded>
      <span>Nothing is looked for by meaning: {WITHOUT[reason]}. Until then no weight makes a difference.</span>
      {UNTIL[reason] && <><code>{UNTIL[reason]}</code><CopyButton text={UNTIL[reason]} what="command" /></>}
    </Degraded>
  );
}

function Nothing({ now }: { now?: number }) {
  return (
    <Empty title="Nothing was asked yet" icon={SlidersHorizontal} cli="intelgraph search tune --judged judged.jsonl">
      {now !== undefined && <>Words count {now} here. </>}Give ten queries or more with what is relevant to each: those that people ask, and not those that are easily answered.
    </Empty>
  );
}

/** What was found: the curve, the same as a table, and each query. */
function Found({ tuned, among, now, tenant }: { tuned: Tuned; among: 'entity' | 'relation' | 'all'; now: number; tenant: string }) {
  const { measure = 'ndcg_at_10', weight, queries = 'gain' } = tuningRoute.useSearch();
  const navigate = useNavigate({ from: tuningRoute.fullPath });
  const go = (to: { measure?: typeof measure; weight?: number; queries?: typeof queries }) => void navigate({ search: (before) => ({ ...before, ...to }), replace: true, resetScroll: false });
  const chosen = nearest(tuned.runs, weight === undefined ? tuned.weight : weight / 100)?.weight ?? tuned.weight;
  const { word, says } = MEASURES.find(({ id }) => id === measure)!;
  return (
    <>
      {now !== tuned.current && <Stale><span>Words counted {tuned.current} when these were asked, and count {now} now.</span></Stale>}
      <Sum tuned={tuned} now={now} />
      <Section title={`${word} by what words count`} note={<Segments label="Measure" of={MEASURES} at={measure} onGo={(measure) => go({ measure })} />}>
        <Curve runs={tuned.runs} measure={measure} says={`${word}: ${says}; the mean over ${count(tuned.queries)} queries`} now={now} best={tuned.weight} chosen={chosen} onChoose={(weight) => go({ weight: Math.round(weight * 100) })} />
      </Section>
      <Weights tuned={tuned} now={now} chosen={chosen} tenant={tenant} onChoose={(weight) => go({ weight: Math.round(weight * 100) })} />
      <PerQuery tuned={tuned} now={now} chosen={chosen} shown={queries} among={among} tenant={tenant} onShow={(queries) => go({ queries })} />
      {tuned.notes.length > 0 && <ul className={styles.notes}>{tuned.notes.map((note) => <li key={note}>{note}.</li>)}</ul>}
    </>
  );
}

const signed = (number: number) => `${number < 0 ? '−' : '+'}${Math.abs(number).toFixed(3)}`;

/** What is best, and whether others would be served better by it, too. */
function Sum({ tuned: { runs, weight, current, cross_validated: _, against_current: { difference, better, worse, p }, queries }, now }: { tuned: Tuned; now: number }) {
  const [best, present] = [nearest(runs, weight), nearest(runs, now)];
  const isBetter = difference > 0;
  return (
    <Gauges>
      <Gauge name="Weight of words now" value={now}>nDCG@10 {present?.ndcg_at_10.toFixed(3)}{present && !curveOf(runs).some((run) => run.weight === now) && `, as for ${present.weight}`}</Gauge>
      <Gauge name="Best by these queries" value={weight}>nDCG@10 {best?.ndcg_at_10.toFixed(3)}; on the queries that it was chosen by, it flatters itself</Gauge>
      <Gauge name="To expect for others" value={signed(difference)} tone={isBetter && p < CHANCE_MAX ? undefined : 'warn'}>
        beside {current}, on queries by which it was not chosen; {p < CHANCE_MAX ? 'hardly by chance' : 'that may be chance'} (p {p < 0.001 ? '< 0.001' : p.toFixed(3)})
      </Gauge>
      <Gauge name="Judged queries" value={count(queries)}>{count(better)} better and {count(worse)} worse so, {count(queries - better - worse)} the same</Gauge>
    </Gauges>
  );
}
