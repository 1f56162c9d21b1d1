import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { ListTree, PanelRight, RotateCcw, SlidersHorizontal } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';

import { useProgress } from '../gateway/progress.ts';
import { type Answer, type GatewayError, run, type Variables } from '../gateway/run.ts';
import { useOperation } from '../gateway/use.ts';
import { counted } from '../shell/amount.ts';
import { Button, IconButton } from '../shell/button.tsx';
import { copyText } from '../shell/copy.tsx';
import { useMay } from '../shell/gate.tsx';
import { useKeys } from '../shell/keys.ts';
import { Segments } from '../shell/segments.tsx';
import { Degraded, Failed, Loading, NotHere, Note, Partial } from '../shell/states.tsx';
import { Chips } from './chips.tsx';
import { useDraft } from './draft.ts';
import { Facets } from './facets.tsx';
import { type Found, Hit } from './hit.tsx';
import { Inspector } from './inspector.tsx';
import { NoHits } from './no-hits.tsx';
import styles from './page.module.css';
import { type Params, question, totalOf } from './question.ts';
import { CHOSEN, UNTIL, WITHOUT } from './reasons.ts';
import { searchRoute } from './routes.tsx';
import { Start } from './start.tsx';

const PAGE_HITS = 25;
const MORE_HITS = 100;

export function SearchPage() {
  const params: Params = searchRoute.useSearch();
  const { tenant } = searchRoute.useParams();
  const draft = useDraft();
  const asked = useMemo(() => question(params, draft), [params, draft]);
  const navigate = useNavigate({ from: searchRoute.fullPath });
  const change = (to: Partial<Params>, replace = false) => void navigate({ search: (before) => ({ ...before, ...to }), replace, resetScroll: false });
  // While somebody types, words are faster, and half a word means nothing.
  const isByMeaning = params.by === 'meaning' && draft === null && asked.words !== '' && params.sort !== 'newest';
  const found = useHits(asked.variables, !asked.isEmpty, isByMeaning ? { weight: params.weight } : undefined);
  const pages = found.data?.pages ?? [];
  const hits = pages.flatMap((page) => page.edges.map((edge) => edge.node));
  const first = pages[0];
  const counts = useCounts(asked.variables, !asked.isEmpty && draft === null);
  // What is counted is what the words match: meaning is near or far, and matches nothing.
  const isMeant = isByMeaning && first?.vector?.used === true;
  const total = draft === null && !isMeant && counts.facets ? totalOf(counts.facets, asked.variables) : undefined;
  const [at, setAt] = useState(0);
  const [facetsOpen, setFacetsOpen] = useState(false);
  const list = useRef<HTMLOListElement>(null);
  const selected = hits[Math.min(at, hits.length - 1)];

  useEffect(() => setAt(0), [JSON.stringify(asked.variables)]);
  useEffect(() => {
    document.title = asked.words ? `${asked.words} · IntelGraph` : 'Search · IntelGraph';
  }, [asked.words]);
  usePainted(first);
  const move = (step: number) => {
    const to = Math.max(0, Math.min(hits.length - 1, at + step));
    setAt(to);
    list.current?.children[to]?.scrollIntoView({ block: 'nearest' });
    if (params.hit && hits[to]) change({ hit: hits[to].id }, true);
  };
  const inspect = () => selected && change({ hit: params.hit ? undefined : selected.id }, true);
  const explain = () => change({ why: params.why ? undefined : true }, true);
  const open = (id: string) => void navigate({ to: '/t/$tenant/e/$id', params: { tenant, id } });
  useKeys('Search', [
    { key: 'j', does: 'Next hit', run: () => move(1) },
    { key: 'k', does: 'Hit before', run: () => move(-1) },
    { key: 'ArrowDown', does: 'Next hit', run: () => move(1) },
    { key: 'ArrowUp', does: 'Hit before', run: () => move(-1) },
    { key: 'Enter', does: 'Open the hit', run: () => selected && open(selected.id) },
    { key: 'Space', does: 'Preview', run: inspect },
    { key: 'i', does: 'Inspector: source and receipt', run: inspect },
    { key: 'Y', does: 'Copy as a command', run: () => void copyText(command(asked.variables)) },
    { key: 'w', does: 'Why these hits', run: explain },
    ...(params.hit ? [{ key: 'Escape', does: 'Close the inspector', run: () => change({ hit: undefined }, true) }] : []),
  ]);

  if (asked.isEmpty) return <Start tenant={tenant} />;
  return (
    <div className={`${styles.page} ${params.hit ? styles.inspected : ''}`}>
      <aside className={`${styles.facets} ${facetsOpen ? styles.open : ''}`} aria-label="Filters">
        {isMeant && <p className={styles.counted}>Counts are of what the words match</p>}
        {!counts.isAwaited && <Facets facets={counts.facets ?? []} spans={counts.spans} params={params} asked={asked} onChange={change} />}
      </aside>
      <section className={styles.hits} aria-label="Hits" aria-busy={found.isFetching}>
        <header className={styles.head}>
          <Button quiet onPress={() => setFacetsOpen(!facetsOpen)} aria-expanded={facetsOpen}><SlidersHorizontal size={14} aria-hidden /> Filters</Button>
          <Chips asked={asked} params={params} onChange={change} />
          <Segments label="Search among" of={FORMS} at={params.form ?? 'entity'} onGo={(form) => change({ form: form === 'entity' ? undefined : form, type: undefined, hit: undefined })} />
          <p className={styles.took} role="status">
            {first && <>{total === undefined ? `${hits.length}${found.hasNextPage ? '+' : ''}` : total.toLocaleString('en')} {total === 1 ? 'hit' : 'hits'} in {first.tookMs < 10 ? first.tookMs.toFixed(1) : Math.round(first.tookMs)} ms</>}
          </p>
          <Newer than={first?.lsn} isAwaited={found.isFetching} onAgain={() => void found.refetch()} />
          <div className={styles.sort}>
            <span aria-hidden>Order</span>
            <select aria-label="Order" value={params.sort ?? params.by ?? 'relevance'} onChange={({ target: { value } }) => change({ sort: value === 'newest' ? value : undefined, by: value === 'meaning' ? value : undefined })}>
              <option value="relevance">Words</option>
              <option value="meaning">Words and meaning</option>
              <option value="newest">Newest</option>
            </select>
          </div>
          {isByMeaning && UNTIL[first?.vector?.reason ?? ''] === undefined && <Weight of={params.weight} shown={first?.vector?.used ? hits[0]?.weight : undefined} tenant={tenant} onChange={(weight) => change({ weight }, true)} />}
          <IconButton label="Why these hits (w)" onPress={explain} aria-pressed={params.why === true}><ListTree size={16} /></IconButton>
          <IconButton label="Inspector (i)" onPress={inspect}><PanelRight size={16} /></IconButton>
        </header>
        {first && !first.complete && <Partial shown={hits.length} what="hits"><span>Time ran out before everything was looked at; more words or a filter narrow it.</span></Partial>}
        {isByMeaning && first && <MeantSoFar vector={first.vector} lsn={first.lsn} />}
        {isByMeaning && first?.vector?.reason && <ByWordsAlone reason={first.vector.reason} onAgain={() => void found.refetch()} />}
        {found.error && (found.error.status === 404 ? <NotHere /> : <Failed error={found.error} onRetry={() => void found.refetch()} />)}
        {!first && !found.error && <Loading rows={9} what="the index" />}
        {first && hits.length === 0 && <NoHits asked={asked} params={params} onChange={change} />}
        <ol className={styles.list} ref={list}>
          {hits.map((hit, index) => (
            <Hit key={hit.id} hit={hit} tenant={tenant} isSelected={index === at} why={params.why === true} onSelect={() => { setAt(index); if (params.hit) change({ hit: hit.id }, true); }} />
          ))}
        </ol>
        {found.hasNextPage && (
          <Partial shown={hits.length} total={total} what="hits">
            <Button quiet onPress={() => void found.fetchNextPage()} isDisabled={found.isFetchingNextPage}>Next {MORE_HITS}</Button>
          </Partial>
        )}
      </section>
      {params.hit && <Inspector id={params.hit} tenant={tenant} onClose={() => change({ hit: undefined }, true)} />}
    </div>
  );
}

type Page = Omit<Answer<'search:v4'>['data']['search'], 'edges'> & { edges: { node: Found }[] } & Partial<Pick<Answer<'searchHybrid:v1'>['data']['searchHybrid'], 'vector' | 'windowExhausted'>>;

function useHits(variables: Variables<'search:v4'>, enabled: boolean, byMeaning?: { weight?: number }) {
  return useInfiniteQuery<Page, GatewayError, { pages: Page[] }, unknown[], string | undefined>({
    queryKey: [byMeaning ? 'searchHybrid:v1' : 'search:v4', variables, byMeaning?.weight],
    queryFn: async ({ signal, pageParam }) => {
      const page = { ...variables, first: pageParam ? MORE_HITS : PAGE_HITS, after: pageParam };
      if (!byMeaning) return (await run('search:v4', page, signal)).data.search;
      const { newest: _, typing: __, ...asked } = page;
      const keywordWeight = byMeaning.weight === undefined ? undefined : byMeaning.weight / 100;
      return (await run('searchHybrid:v1', { ...asked, keywordWeight, mode: 'HYBRID' }, signal)).data.searchHybrid;
    },
    initialPageParam: undefined,
    getNextPageParam: ({ pageInfo }) => (pageInfo.endCursor && pageInfo.hasNextPage ? pageInfo.endCursor : undefined),
    enabled,
    // What was found for the words before stays until the next is there.
    placeholderData: (before) => before,
    refetchOnWindowFocus: false,
  });
}

/** Vectors are made behind the words, for a large import much later. */
function MeantSoFar({ vector, lsn }: { vector: { used: boolean; lsn: number | null } | undefined; lsn: number }) {
  const percent = vector?.used ? Math.floor(((vector.lsn ?? 0) * 100) / Math.max(lsn, 1)) : 100;
  return percent < 99 ? <Note>By meaning, {percent} % of what is here was gone through so far; the rest is found by its words.</Note> : null;
}

/** Why no meaning was looked for: because of the question or a choice, or because something is wanting or was too slow. */
function ByWordsAlone({ reason, onAgain }: { reason: string; onAgain: () => void }) {
  const says = <span>By words alone: {WITHOUT[reason] ?? reason}.</span>;
  if (CHOSEN.includes(reason)) return <Note>{says}</Note>;
  return <Degraded>{says}{UNTIL[reason] === undefined && <Button quiet onPress={onAgain}>Try again</Button>}</Degraded>;
}

/** What words count against meaning; who may set it for everybody is led to where that is weighed. */
function Weight({ of, shown, tenant, onChange }: { of: number | undefined; shown: number | undefined; tenant: string; onChange: (weight: number | undefined) => void }) {
  const mayTune = useMay('flag.manage');
  const known = useRef(0.7);
  // Where one side had nothing to say the other stands alone: that is no weight of anybody’s.
  if (shown !== undefined && shown > 0 && shown < 1) known.current = shown;
  const value = of ?? Math.round(known.current * 100);
  return (
    <span className={styles.weight}>
      <label>
        <span>Meaning</span>
        <input type="range" min={0} max={100} step={5} aria-label="What words count against meaning" aria-valuetext={`words ${value}, meaning ${100 - value} of 100`} value={value} onChange={(event) => onChange(Number(event.target.value))} />
        <span>Words {(value / 100).toFixed(2)}</span>
      </label>
      {of !== undefined && <Button quiet onPress={() => onChange(undefined)}>Tenant’s</Button>}
      {mayTune && <Link to="/t/$tenant/search/tuning" params={{ tenant }} title="Which weight serves best">Which is best?</Link>}
    </span>
  );
}

const FORMS = [{ id: 'entity' as const, word: 'Entities' }, { id: 'relation' as const, word: 'Relations' }, { id: 'all' as const, word: 'Both' }];

/** What can be found by now and could not when it was asked. */
function Newer({ than, isAwaited, onAgain }: { than: number | undefined; isAwaited: boolean; onAgain: () => void }) {
  const { progress } = useProgress();
  const at = progress?.followers.find(({ name }) => name === 'text')?.lsn ?? 0;
  if (than === undefined || at <= than || isAwaited) return null;
  return <Button quiet onPress={onAgain}><RotateCcw size={14} aria-hidden /> {counted(at - than, 'newer record')}</Button>;
}

/** The same question on the command line. */
function command({ q, types, notTypes, sources, notSources, classifications, since, before, includeRevoked }: Variables<'search:v4'>): string {
  const each = (flag: string, values: string[] | null | undefined) => (values ?? []).map((value) => `--${flag} ${value}`);
  const flags = [
    ...each('type', types), ...each('not-type', notTypes), ...each('source', sources), ...each('not-source', notSources), ...each('classification', classifications),
    ...each('since', since ? [since] : []), ...each('before', before ? [before] : []), ...(includeRevoked ? ['--include-revoked'] : []),
  ];
  return ['intelgraph search', `'${q.replaceAll("'", `'\\''`)}'`, ...flags].join(' ');
}

/** Counts need a walk over all that matches, so they come by themselves, once nobody is typing. */
function useCounts(variables: Variables<'search:v4'>, enabled: boolean) {
  const asked = useOperation('search:v4', { ...variables, explain: undefined, first: 1, facets: true }, { enabled, keep: true });
  const found = asked.data?.data.search;
  return { facets: found?.facets && [...found.facets, ...(found.classifications ?? [])], spans: found?.spans ?? [], isAwaited: asked.isLoading };
}

/** Marks when an answer is on screen: what a keystroke waits for. */
function usePainted(answer: unknown) {
  useEffect(() => {
    if (answer) requestAnimationFrame(() => performance.mark('ig:search'));
  }, [answer]);
}
