import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { PanelRight, RotateCcw, SlidersHorizontal } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';

import { useProgress } from '../gateway/progress.ts';
import { type Answer, type GatewayError, run, type Variables } from '../gateway/run.ts';
import { useOperation } from '../gateway/use.ts';
import { counted } from '../shell/amount.ts';
import { Button, IconButton } from '../shell/button.tsx';
import { copyText } from '../shell/copy.tsx';
import { useKeys } from '../shell/keys.ts';
import { Failed, Loading, NotHere, Partial } from '../shell/states.tsx';
import { Chips } from './chips.tsx';
import { useDraft } from './draft.ts';
import { Facets } from './facets.tsx';
import { type Found, Hit } from './hit.tsx';
import { Inspector } from './inspector.tsx';
import { NoHits } from './no-hits.tsx';
import styles from './page.module.css';
import { type Params, question, totalOf } from './question.ts';
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
  const total = draft === null && counts.facets ? totalOf(counts.facets, asked.variables) : undefined;
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
    { key: 'w', does: 'Why these hits', run: () => change({ why: params.why ? undefined : true }, true) },
    ...(params.hit ? [{ key: 'Escape', does: 'Close the inspector', run: () => change({ hit: undefined }, true) }] : []),
  ]);

  if (asked.isEmpty) return <Start tenant={tenant} />;
  return (
    <div className={`${styles.page} ${params.hit ? styles.inspected : ''}`}>
      <aside className={`${styles.facets} ${facetsOpen ? styles.open : ''}`} aria-label="Filters">
        {!counts.isAwaited && <Facets facets={counts.facets ?? []} spans={counts.spans} params={params} asked={asked} onChange={change} />}
      </aside>
      <section className={styles.hits} aria-label="Hits" aria-busy={found.isFetching}>
        <header className={styles.head}>
          <Button quiet onPress={() => setFacetsOpen(!facetsOpen)} aria-expanded={facetsOpen}><SlidersHorizontal size={14} aria-hidden /> Filters</Button>
          <Chips asked={asked} params={params} onChange={change} />
          <Forms at={params.form} onGo={(form) => change({ form, type: undefined, hit: undefined })} />
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
          {isByMeaning && <Weight of={params.weight} shown={hits[0]?.weight} onChange={(weight) => change({ weight }, true)} />}
          <IconButton label="Inspector (i)" onPress={inspect}><PanelRight size={16} /></IconButton>
        </header>
        {first && !first.complete && <Partial shown={hits.length} what="hits"><span>Time ran out before everything was looked at; more words or a filter narrow it.</span></Partial>}
        {isByMeaning && first?.vector?.reason && <Partial shown={hits.length} what="hits"><span>By words alone: {WITHOUT[first.vector.reason] ?? first.vector.reason}.</span></Partial>}
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

/** Why an answer is by words alone. */
const WITHOUT: Record<string, string> = {
  flag_off: 'meaning is being tried out, and not here',
  query_empty: 'there is no word in the question',
  filter_exact: 'a phrase in quotes and a word left out are exact, and meaning is not',
  no_model: 'no model is installed on the node',
  index_missing: 'nothing is prepared for it yet',
  index_building: 'it is being prepared',
  index_damaged: 'what was prepared is damaged, and is made anew',
  encoder_failed: 'the model failed on the question',
  deadline: 'it took too long',
  busy: 'the node is busy',
};

/** What words count against meaning. */
function Weight({ of, shown, onChange }: { of: number | undefined; shown: number | undefined; onChange: (weight: number) => void }) {
  return (
    <label className={styles.weight}>
      <span>Meaning</span>
      <input type="range" min={0} max={100} step={5} aria-label="What words count against meaning" value={of ?? Math.round((shown ?? 0.7) * 100)} onChange={(event) => onChange(Number(event.target.value))} />
      <span>Words</span>
    </label>
  );
}

const FORMS: [Params['form'], string][] = [[undefined, 'Entities'], ['relation', 'Relations'], ['all', 'Both']];

function Forms({ at, onGo }: { at: Params['form']; onGo: (form: Params['form']) => void }) {
  return (
    <div role="group" aria-label="Search among" className={styles.forms}>
      {FORMS.map(([form, word]) => <button key={word} type="button" aria-pressed={form === at} onClick={() => onGo(form)}>{word}</button>)}
    </div>
  );
}

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
