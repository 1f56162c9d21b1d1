import { Link } from '@tanstack/react-router';
import { type ChangeEvent, useMemo, useState } from 'react';

import { KindIcon } from '../kinds/icon.tsx';
import { wordsOf } from '../kinds/shapes.ts';
import { Button } from '../shell/button.tsx';
import { Partial } from '../shell/states.tsx';
import table from '../shell/table.module.css';
import { Tabs } from '../shell/tabs.tsx';
import type { Bench } from './keys.ts';
import { drawnNeighbours, type Thing, type Tie, tieKey } from './model.ts';
import { graphRoute } from './routes.tsx';
import styles from './table.module.css';
import { one } from './workbench.tsx';

const PAGE = 200;

/** The same graph as rows: what is chosen here is chosen there. */
export function Table(bench: Bench) {
  const { graph } = bench.doing;
  const [at, setAt] = useState<'things' | 'ties'>('things');
  const [find, setFind] = useState('');
  const [count, setCount] = useState(PAGE);
  const wanted = find.toLowerCase();
  const things = useMemo(() => [...graph.things.values()].filter(({ title, id }) => `${title}\n${id}`.toLowerCase().includes(wanted)).sort((a, b) => b.degree - a.degree || a.title.localeCompare(b.title)), [graph, wanted]);
  const ties = useMemo(() => [...graph.ties.values()].filter(({ from, to, kind }) => [graph.things.get(from)!.title, kind, graph.things.get(to)!.title].join('\n').toLowerCase().includes(wanted)), [graph, wanted]);
  const all = at === 'things' ? things.length : ties.length;
  const search = (event: ChangeEvent<HTMLInputElement>) => {
    setFind(event.target.value);
    setCount(PAGE);
  };
  return (
    <div className={styles.twin}>
      <div className={styles.head}>
        <Tabs label="Parts of the graph" at={at} onGo={(to) => setAt(to as typeof at)} tabs={[{ id: 'things', word: 'Things', count: graph.things.size }, { id: 'ties', word: 'Relations', count: graph.ties.size }]} />
        <input type="search" aria-label="Find in the table" placeholder="Find" value={find} onChange={search} />
      </div>
      <div role="tabpanel" aria-labelledby={`tab-${at}`}>
        {at === 'things' ? <Things {...bench} things={things.slice(0, count)} /> : <Ties {...bench} ties={ties.slice(0, count)} />}
        {all > count && <Partial shown={count} total={all} what={at === 'things' ? 'things' : 'relations'}><Button quiet onPress={() => setCount(count + PAGE)}>Next {PAGE}</Button></Partial>}
      </div>
    </div>
  );
}

function Things({ things, chosen, choose, doing, expand }: Bench & { things: Thing[] }) {
  const { tenant } = graphRoute.useParams();
  const near = drawnNeighbours(doing.graph);
  const toggle = (id: string) => {
    const next = new Set(chosen.things);
    if (!next.delete(id)) next.add(id);
    choose({ things: next, focus: next.has(id) ? id : [...next].at(-1) ?? null, line: null });
  };
  return (
    <table className={table.table}>
      <thead><tr><th><span className={styles.unseen}>Chosen</span></th><th>Thing</th><th>Type</th><th>Neighbours</th><th><span className={styles.unseen}>Steps</span></th></tr></thead>
      <tbody>
        {things.map((thing) => {
          const { id, type, title, degree, pinned, members } = thing;
          const drawn = near.get(id) ?? 0;
          return (
            <tr key={id} aria-selected={chosen.things.has(id)} data-chosen={chosen.things.has(id) || undefined}>
              <td><input type="checkbox" aria-label={`Choose ${title}`} checked={chosen.things.has(id)} onChange={() => toggle(id)} /></td>
              <th scope="row">
                <span className={styles.name}>
                  <KindIcon type={type} />
                  {members ? <span>{title}</span> : <Link to="/t/$tenant/e/$id" params={{ tenant, id }}>{title}</Link>}
                  {pinned && <span className={table.muted}>pinned</span>}
                </span>
              </th>
              <td className={table.nowrap} data-name="type">{wordsOf(type)}</td>
              <td className={table.nowrap} data-name="neighbours drawn">{drawn.toLocaleString('en')} of {degree.toLocaleString('en')}</td>
              <td className={table.nowrap}>
                {!doing.isPast && (members || drawn < degree) && <Button quiet onPress={() => expand(id)}>{members ? 'Ungroup' : 'Expand'}</Button>}
                <Button quiet onPress={() => choose(one(id))}>Inspect</Button>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Ties({ ties, doing, choose }: Bench & { ties: Tie[] }) {
  const { things } = doing.graph;
  return (
    <table className={table.table}>
      <thead><tr><th>From</th><th>Relation</th><th>To</th><th>Said</th><th><span className={styles.unseen}>Steps</span></th></tr></thead>
      <tbody>
        {ties.map((tie) => (
          <tr key={tieKey(tie)}>
            <td data-name="from">{things.get(tie.from)!.title}</td>
            <td data-name="relation">{tie.kind}</td>
            <td data-name="to">{things.get(tie.to)!.title}</td>
            <td className={table.nowrap} data-name="relations">×{tie.relations}{tie.weight !== null && `, weight ${tie.weight}`}</td>
            <td><Button quiet onPress={() => choose({ things: new Set(), focus: null, line: { from: tie.from, to: tie.to } })}>Who says so</Button></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
