import { Link } from '@tanstack/react-router';
import { ArrowLeft, ArrowRight, X } from 'lucide-react';

import { Value } from '../entity/value.tsx';
import { useOperation } from '../gateway/use.ts';
import { KindIcon } from '../kinds/icon.tsx';
import { wordsOf } from '../kinds/shapes.ts';
import { Button, IconButton } from '../shell/button.tsx';
import { Loaded, NotHere } from '../shell/states.tsx';
import { Time } from '../shell/time.tsx';
import { isPair } from './canvas.tsx';
import styles from './inspector.module.css';
import { type Bench, hideChosen, pathBetween } from './keys.ts';
import { drawnNeighbours, neighbours, type Thing } from './model.ts';
import { PathsBetween } from './paths.tsx';
import { graphRoute } from './routes.tsx';
import { TiesBetween } from './ties.tsx';
import { ASK_FROM } from './work.ts';
import { NOTHING, one } from './workbench.tsx';

const FACTS_MAX = 6;
const CHOSEN_MAX = 50;

interface Props extends Bench {
  onExpanding: (id: string) => void;
}

/** What is chosen: a thing with what is said of it, a line with all that it stands for, or several things. */
export function Inspector(props: Props) {
  const { chosen, doing, choose } = props;
  const only = chosen.things.size === 1 ? doing.graph.things.get([...chosen.things][0]!) : undefined;
  return (
    <aside className={styles.inspector} aria-label="Inspector">
      <div className={styles.close}><IconButton label="Close (Esc)" onPress={() => choose(NOTHING)}><X size={16} /></IconButton></div>
      {chosen.line ? <Line {...props} line={chosen.line} /> : only ? <One {...props} thing={only} /> : <Several {...props} />}
    </aside>
  );
}

function One({ thing, doing, choose, expand, onExpanding }: Props & { thing: Thing }) {
  const { tenant } = graphRoute.useParams();
  const near = neighbours(doing.graph).get(thing.id) ?? new Set();
  const drawn = drawnNeighbours(doing.graph).get(thing.id) ?? 0;
  if (thing.members) return <Group thing={thing} doing={doing} />;
  return (
    <>
      <header>
        <KindIcon type={thing.type} size={28} />
        <div>
          <h2><Link to="/t/$tenant/e/$id" params={{ tenant, id: thing.id }}>{thing.title}</Link></h2>
          <p>{wordsOf(thing.type)}{thing.status !== 'active' && ` · ${thing.status}`}{thing.pinned && ' · pinned'}</p>
        </div>
      </header>
      <p className={styles.count}>{drawn.toLocaleString('en')} of {thing.degree.toLocaleString('en')} neighbours drawn</p>
      {!doing.isPast && drawn < thing.degree && (
        <div className={styles.ways}>
          <Button main onPress={() => expand(thing.id)}>{thing.degree - drawn > ASK_FROM ? 'Expand…' : `Expand ${thing.degree - drawn}`}</Button>
          <Button onPress={() => onExpanding(thing.id)}>Choose…</Button>
        </div>
      )}
      <Facts id={thing.id} />
      {near.size > 0 && (
        <section>
          <h3>Drawn neighbours</h3>
          <ul className={styles.list}>
            {[...near].slice(0, CHOSEN_MAX).map((id) => (
              <li key={id}>
                <button type="button" onClick={() => choose(one(id))}><KindIcon type={doing.graph.things.get(id)!.type} size={16} /> <span>{doing.graph.things.get(id)!.title}</span></button>
                <IconButton label={`What joins them: ${doing.graph.things.get(id)!.title}`} onPress={() => choose({ things: new Set(), focus: null, line: { from: thing.id, to: id } })}><ArrowRight size={14} /></IconButton>
              </li>
            ))}
          </ul>
          {near.size > CHOSEN_MAX && <p className={styles.count}>{CHOSEN_MAX} of {near.size.toLocaleString('en')} listed; the table has all</p>}
        </section>
      )}
    </>
  );
}

function Facts({ id }: { id: string }) {
  const { asOf } = graphRoute.useSearch();
  const asked = useOperation('entity:v2', { id, asOf });
  return (
    <Loaded asked={asked} rows={3}>
      {({ entity }) => (entity ? (
        <dl className={styles.facts}>
          {entity.attributes.filter(({ shown }) => shown).slice(0, FACTS_MAX).map(({ name, value, source, observedAt }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd><Value of={value} short /> <span>{source}, <Time at={observedAt} /></span></dd>
            </div>
          ))}
        </dl>
      ) : <NotHere />)}
    </Loaded>
  );
}

function Group({ thing, doing }: { thing: Thing; doing: Bench['doing'] }) {
  const members = thing.members!.things;
  return (
    <>
      <header>
        <KindIcon type={thing.type} size={28} />
        <div><h2>{members.length.toLocaleString('en')} {wordsOf(thing.type)}</h2><p>One for all that only one thing leads to</p></div>
      </header>
      {!doing.isPast && <div className={styles.ways}><Button main onPress={() => doing.ungroup(thing.id)}>Ungroup</Button></div>}
      <ul className={styles.list}>{members.slice(0, CHOSEN_MAX).map(({ id, title }) => <li key={id}><span>{title}</span></li>)}</ul>
      {members.length > CHOSEN_MAX && <p className={styles.count}>{CHOSEN_MAX} of {members.length.toLocaleString('en')} listed; ungroup to see all</p>}
    </>
  );
}

function Line({ line, doing, choose }: Props & { line: { from: string; to: string } }) {
  const [from, to] = [doing.graph.things.get(line.from), doing.graph.things.get(line.to)];
  const ties = [...doing.graph.ties.values()].filter((tie) => isPair(line, tie.from, tie.to));
  if (!from || !to) return <NotHere />;
  return (
    <>
      <h2>Between two things</h2>
      <ul className={styles.list}>
        {[from, to].map(({ id, type, title }) => <li key={id}><button type="button" onClick={() => choose(one(id))}><KindIcon type={type} size={16} /> <span>{title}</span></button></li>)}
      </ul>
      <ul className={styles.kinds}>
        {ties.map(({ from: start, kind, relations }) => (
          <li key={`${start} ${kind}`}>{start === line.from ? <ArrowRight size={14} aria-label="from the first" /> : <ArrowLeft size={14} aria-label="from the second" />} {kind}{relations > 1 && ` ×${relations}`}</li>
        ))}
      </ul>
      {!from.members && !to.members && <TiesBetween from={line.from} to={line.to} />}
    </>
  );
}

function Several(bench: Props) {
  const { doing, chosen, choose } = bench;
  const things = [...chosen.things].map((id) => doing.graph.things.get(id)).filter((thing) => thing !== undefined);
  return (
    <>
      <h2>{things.length.toLocaleString('en')} things chosen</h2>
      {!doing.isPast && (
        <div className={styles.ways}>
          {things.length === 2 && <Button main onPress={() => void pathBetween(bench)}>Shortest path</Button>}
          <Button onPress={() => hideChosen(bench)}>Hide</Button>
        </div>
      )}
      {things.length === 2 && !things.some(({ members }) => members) && <PathsBetween from={things[0]!.id} to={things[1]!.id} doing={doing} />}
      <ul className={styles.list}>
        {things.slice(0, CHOSEN_MAX).map(({ id, type, title }) => <li key={id}><button type="button" onClick={() => choose(one(id))}><KindIcon type={type} size={16} /> <span>{title}</span></button></li>)}
      </ul>
      {things.length > CHOSEN_MAX && <p className={styles.count}>{CHOSEN_MAX} of {things.length.toLocaleString('en')} listed</p>}
    </>
  );
}
