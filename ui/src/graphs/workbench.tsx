import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { Button } from '../shell/button.tsx';
import { Degraded, Failed, Partial, Stale } from '../shell/states.tsx';
import { Time } from '../shell/time.tsx';
import { useAdding } from './adding.tsx';
import { type Draft, leave } from './drafts.ts';
import { Canvas } from './canvas.tsx';
import { Expanding } from './expanding.tsx';
import type { Drawing } from './hands.ts';
import { Inspector } from './inspector.tsx';
import { useGraphKeys } from './keys.ts';
import { fades, Legend, type Faded, NOTHING_FADED } from './legend.tsx';
import { DOTS_FROM } from './painter.ts';
import { graphRoute } from './routes.tsx';
import { Saving } from './saving.tsx';
import { sceneOf } from './scene.ts';
import { Table } from './table.tsx';
import { Tools } from './tools.tsx';
import { ASK_FROM, type Doing, GROUPS_FROM, useDoing } from './work.ts';
import styles from './workbench.module.css';

export interface Chosen {
  things: ReadonlySet<string>;
  focus: string | null;
  /** Both ends of a line. */
  line: { from: string; to: string } | null;
}

export const NOTHING: Chosen = { things: new Set(), focus: null, line: null };

/** Where somebody works on a graph: its tools, the drawing or its table, and what is chosen beside it. */
export function Workbench({ name, draft }: { name: string; draft: Draft }) {
  const { view, asOf, sel } = graphRoute.useSearch();
  const navigate = useNavigate({ from: graphRoute.fullPath });
  const doing = useDoing(draft.work, asOf);
  const isNarrow = useNarrow();
  const shows = view ?? (isNarrow ? 'table' : 'graph');
  const [chosen, setChosen] = useState<Chosen>(() => (sel && draft.work.graph.things.has(sel) ? one(sel) : NOTHING));
  const [faded, setFaded] = useState<Faded>(NOTHING_FADED);
  const [expanding, setExpanding] = useState<string | null>(null);
  const [kept, setKept] = useState(draft.kept);
  const drawing = useRef<Drawing | null>(null);
  const adding = useAdding(doing);
  const scene = useMemo(() => sceneOf(doing.graph), [doing.graph]);
  const choose = (next: Chosen) => {
    setChosen(next);
    const only = next.things.size === 1 && !next.line ? [...next.things][0] : undefined;
    void navigate({ search: (before) => ({ ...before, sel: only }), replace: true });
  };
  const show = (to: 'graph' | 'table') => void navigate({ search: (before) => ({ ...before, view: to }) });
  const expand = (id: string) => {
    const thing = doing.graph.things.get(id);
    if (!thing || doing.isPast) return;
    if (thing.members) doing.ungroup(id);
    else if (scene.rest[scene.place.get(id)!]! > ASK_FROM) setExpanding(id);
    else void doing.expand(id);
  };
  const { work } = doing;
  useEffect(() => {
    // What was new until it was saved goes on under the address that it has now.
    if (!kept.saved || kept.saved.id === name) leave(name, { work, kept });
  }, [name, work, kept]);
  useLeaving(work.graph !== kept.graph && work.graph.things.size > 0);
  const state = { doing, chosen, choose, expand, drawing, shows, show, scene };
  useGraphKeys(state);
  const count = doing.graph.things.size;
  return (
    <div className={styles.bench} data-past={asOf ? '' : undefined}>
      <header className={styles.head}>
        <Saving doing={doing} kept={kept} onKept={setKept} />
        <Tools {...state} adding={adding} />
      </header>
      <div className={styles.said}>
        {asOf && <Stale><span>As the node knew it on <Time at={asOf} />, {asOf.slice(11, 16)} UTC; to be looked at, not changed</span></Stale>}
        <Strips doing={doing} count={count} onChoose={setExpanding} shows={shows} />
      </div>
      <div className={styles.main}>
        {count === 0 ? adding.empty : shows === 'graph'
          ? <Canvas {...state} faded={fades(faded, scene)} fadedBy={faded} />
          : <Table {...state} />}
        {count > 0 && shows === 'graph' && <Legend graph={doing.graph} faded={faded} onFade={setFaded} />}
        <div role="status" className={styles.status}>{doing.busy ? 'Asking the node…' : doing.said}</div>
      </div>
      {(chosen.things.size > 0 || chosen.line) && <Inspector {...state} onExpanding={setExpanding} />}
      {adding.panel}
      {expanding && <Expanding id={expanding} doing={doing} onClose={() => setExpanding(null)} />}
    </div>
  );
}

export const one = (id: string): Chosen => ({ things: new Set([id]), focus: id, line: null });

/** What has to be said of the graph as a whole; each stays as long as it is so. */
function Strips({ doing, count, onChoose, shows }: { doing: Doing; count: number; onChoose: (id: string) => void; shows: 'graph' | 'table' }) {
  const { cut } = doing;
  return (
    <>
      {doing.failed && <Failed error={doing.failed} onRetry={doing.dismiss} />}
      {cut && (
        <Partial shown={cut.shown} total={cut.of} what={`more neighbours of ${cut.title}`}>
          <Button quiet onPress={() => void doing.expand(cut.id)}>Next 25</Button>
          <Button quiet onPress={() => onChoose(cut.id)}>Choose…</Button>
          <Button quiet onPress={doing.dismiss}>Leave it</Button>
        </Partial>
      )}
      {doing.truncated && <Degraded>Reading relations took too long: some of them, and some counts, are missing here.</Degraded>}
      {count > DOTS_FROM && shows === 'graph' && (
        <Stale>
          <span>{count.toLocaleString('en')} things: where more than {DOTS_FROM.toLocaleString('en')} are in sight they are dots. Come nearer, or</span>
          <Button quiet onPress={doing.group}>group ends by type</Button>
        </Stale>
      )}
      {count > GROUPS_FROM && count <= DOTS_FROM && shows === 'graph' && !doing.isPast && (
        <Stale>
          <span>{count.toLocaleString('en')} things are hard to read.</span>
          <Button quiet onPress={doing.group}>Group ends by type</Button>
        </Stale>
      )}
    </>
  );
}

function useNarrow(): boolean {
  const query = '(max-width: 599px)';
  const [narrow, setNarrow] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const changed = () => setNarrow(media.matches);
    media.addEventListener('change', changed);
    return () => media.removeEventListener('change', changed);
  }, []);
  return narrow;
}

/** The browser asks before work is lost that was not saved. */
function useLeaving(unsaved: boolean) {
  useEffect(() => {
    if (!unsaved) return;
    const leaving = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', leaving);
    return () => removeEventListener('beforeunload', leaving);
  }, [unsaved]);
}
