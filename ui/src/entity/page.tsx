import { Link, useNavigate } from '@tanstack/react-router';
import { ArrowLeft, ArrowRight, Link2, Quote } from 'lucide-react';
import { useEffect, useState } from 'react';

import type { Data } from '../gateway/run.ts';
import { useOperation } from '../gateway/use.ts';
import { GraphButton } from '../graphs/button.tsx';
import { KindIcon, RelationIcon } from '../kinds/icon.tsx';
import { wordsOf } from '../kinds/shapes.ts';
import { Button } from '../shell/button.tsx';
import { CopyButton, copyText } from '../shell/copy.tsx';
import { useKeys } from '../shell/keys.ts';
import { Loaded, NotHere, Stale, Withheld } from '../shell/states.tsx';
import { Tabs } from '../shell/tabs.tsx';
import { Time } from '../shell/time.tsx';
import { Facts } from './facts.tsx';
import { History } from './history.tsx';
import { named, shorter } from './names.ts';
import styles from './page.module.css';
import { Paths } from './paths.tsx';
import { Provenance } from './provenance.tsx';
import { Relations } from './relations.tsx';
import { entityRoute } from './routes.tsx';
import { Value } from './value.tsx';

export type Entity = NonNullable<Data<'entity:v2'>['entity']>;
type Tab = 'facts' | 'relations' | 'paths' | 'history' | 'provenance';

export function EntityPage() {
  const { id } = entityRoute.useParams();
  const { asOf } = entityRoute.useSearch();
  const asked = useOperation('entity:v2', { id, asOf });
  return (
    <div className={asOf ? styles.past : undefined}>
      {asOf && <Stale><span>As the node knew it on <Time at={asOf} />, {asOf.slice(11, 16)} UTC</span></Stale>}
      <Loaded asked={asked}>
        {({ entity }, elided) => (entity ? <Shown key={entity.id} entity={entity} elided={elided} /> : <NotHere />)}
      </Loaded>
    </div>
  );
}

function Shown({ entity, elided }: { entity: Entity; elided: string[] }) {
  const { tenant, id } = entityRoute.useParams();
  const { tab = 'facts', asOf } = entityRoute.useSearch();
  const navigate = useNavigate({ from: entityRoute.fullPath });
  const kinds = useOperation('relationKinds:v1', { id, asOf });
  const related = kinds.data?.data.relationKinds;
  const total = related?.kinds.reduce((sum, { count }) => sum + count, 0);
  const go = (to: Tab) => void navigate({ search: (before) => ({ asOf: before.asOf, tab: to === 'facts' ? undefined : to }) });
  usePainted(entity);
  const cli = `intelgraph entity get ${id}${asOf ? ` --as-of ${asOf}` : ''}`;
  const tabs: { id: Tab; word: string; count?: number; more?: boolean }[] = [
    { id: 'facts', word: 'Facts', count: new Set(entity.attributes.map(({ name }) => name)).size },
    { id: 'relations', word: 'Relations', count: total, more: related?.complete === false },
    { id: 'paths', word: 'Paths' },
    { id: 'history', word: 'History' },
    { id: 'provenance', word: 'Provenance' },
  ];
  const step = (by: number) => go(tabs[(tabs.findIndex((one) => one.id === tab) + by + tabs.length) % tabs.length]!.id);
  useKeys('Entity', [
    { key: ']', does: 'Next part', run: () => step(1) },
    { key: '[', does: 'Part before', run: () => step(-1) },
    { key: 'i', does: 'Source and receipt', run: () => go('provenance') },
    { key: 'Y', does: 'Copy as a command', run: () => void copyText(cli) },
  ]);
  useEffect(() => {
    document.title = `${named(entity)} · IntelGraph`;
  }, [entity]);
  return (
    <article className={styles.page}>
      <header className={styles.head}>
        {entity.from ? <RelationIcon size={40} /> : <KindIcon type={entity.type} size={40} />}
        <div className={styles.names}>
          <h1 title={entity.title}><Heading entity={entity} tenant={tenant} /></h1>
          <p className={styles.meta}>
            <span>{entity.from ? 'relation' : wordsOf(entity.type)}</span>
            {entity.status !== 'active' && <span className={styles.status}>{entity.status}</span>}
            <Terms entity={entity} />
            <span className={styles.id}><code title={id}>{shorter(id)}</code><CopyButton text={id} what="id" /></span>
            {elided.includes('entity.receipt') && <span>Receipt <Withheld /></span>}
          </p>
          {entity.labels.length > 0 && <ul className={styles.labels} aria-label="Labels">{entity.labels.map((label) => <li key={label}>{label}</li>)}</ul>}
        </div>
        <Actions entity={entity} cli={cli} />
      </header>
      <Description entity={entity} />
      <Tabs label="Parts of the entity" tabs={tabs} at={tab} onGo={(to) => go(to as Tab)} />
      <div className={styles.body} role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === 'facts' && <div className={styles.facts}><Facts entity={entity} tenant={tenant} /><Joined kinds={related} /></div>}
        {tab === 'relations' && <Relations id={id} tenant={tenant} kinds={kinds} />}
        {tab === 'paths' && <Paths id={id} />}
        {tab === 'history' && <History id={id} />}
        {tab === 'provenance' && <Provenance entity={entity} />}
      </div>
    </article>
  );
}

/** The title; of a relation, what it joins, each a press away. */
function Heading({ entity: { title, type, from, to }, tenant }: { entity: Entity; tenant: string }) {
  if (!from || !to) return title;
  const end = ({ id, title }: { id: string; title: string }) => <Link to="/t/$tenant/e/$id" params={{ tenant, id }}>{title}</Link>;
  return <>{end(from)} <em className={styles.kind}>{wordsOf(type)}</em> {end(to)}</>;
}

/** What it is joined to, by kind: a press away. */
function Joined({ kinds }: { kinds: Data<'relationKinds:v1'>['relationKinds'] | undefined }) {
  if (!kinds || kinds.kinds.length === 0) return null;
  return (
    <aside className={styles.joined} aria-label="Relations by kind">
      <h2>Relations</h2>
      {kinds.kinds.map(({ kind, direction, count }) => (
        <Link key={`${direction}${kind}`} from={entityRoute.fullPath} to="." search={(before) => ({ asOf: before.asOf, tab: 'relations', kind: [kind], direction: direction === 'IN' ? 'in' : 'out' })}>
          {direction === 'IN' ? <ArrowLeft size={14} aria-label="from others" /> : <ArrowRight size={14} aria-label="to others" />}
          <span>{kind}</span><b>{count.toLocaleString('en')}</b>
        </Link>
      ))}
    </aside>
  );
}

/** On which terms it is here; where sources differ, the strictest classification and every licence. */
function Terms({ entity: { statements } }: { entity: Entity }) {
  if (statements.length === 0) return null;
  const unique = (of: (statement: Entity['statements'][number]) => string) => [...new Set(statements.map(of))];
  return (
    <>
      <span className={styles.class} data-is={unique((one) => one.classification).at(-1)}>{unique((one) => one.classification).join(', ')}</span>
      <span>{unique((one) => one.licence).join(', ')}</span>
      <span>{statements.length === 1 ? `said by ${statements[0]!.source}` : `${unique((one) => one.source).length} sources`}</span>
    </>
  );
}

function Actions({ entity, cli }: { entity: Entity; cli: string }) {
  const [said, setSaid] = useState('');
  const copy = async (text: string, what: string) => {
    await copyText(text);
    setSaid(`${what} copied`);
    setTimeout(() => setSaid(''), 2_000);
  };
  const first = entity.statements[0];
  const citation = `${named(entity)} (${entity.type}, ${entity.id})${first ? `, ${first.source}, ${first.licence}, observed ${first.observedAt.slice(0, 10)}, record ${first.lsn}` : ''}. ${location.href}`;
  return (
    <div className={styles.actions}>
      <GraphButton tenant={entityRoute.useParams().tenant} id={entity.id} />
      <Button onPress={() => void copy(location.href, 'Link')}><Link2 size={14} aria-hidden /> Link</Button>
      <Button onPress={() => void copy(citation, 'Citation')}><Quote size={14} aria-hidden /> Cite</Button>
      <Button onPress={() => void copy(cli, 'Command')}>CLI</Button>
      <span role="status" className={styles.said}>{said}</span>
    </div>
  );
}

function Description({ entity }: { entity: Entity }) {
  const shown = entity.attributes.find(({ name, shown, value }) => name === 'description' && shown && typeof value === 'string');
  if (!shown) return null;
  return <div className={styles.description}><Value of={shown.value} /></div>;
}

function usePainted(entity: Entity) {
  useEffect(() => {
    requestAnimationFrame(() => performance.mark('ig:entity'));
  }, [entity.id]);
}
