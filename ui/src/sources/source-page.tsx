import { Link } from '@tanstack/react-router';
import { Plus, Search } from 'lucide-react';
import { useEffect } from 'react';

import { useOperation } from '../gateway/use.ts';
import { KindIcon } from '../kinds/icon.tsx';
import { wordsOf } from '../kinds/shapes.ts';
import { LICENCES, RETENTIONS } from '../gateway/terms.ts';
import { count } from '../shell/amount.ts';
import { Classification } from '../shell/badge.tsx';
import button from '../shell/button.module.css';
import { useMay } from '../shell/gate.tsx';
import { Page, Pairs, Section } from '../shell/page.tsx';
import { Empty, Loaded, NotHere } from '../shell/states.tsx';
import { type Source, useRuns } from './list.ts';
import { Export } from './export.tsx';
import styles from './source-page.module.css';
import { sourceRoute } from './routes.tsx';
import { RunTable } from './runs.tsx';

const SOURCES_MAX = 1_000;

/** One source: its terms, what it speaks of, and its imports. */
export function SourcePage() {
  const { name } = sourceRoute.useParams();
  const asked = useOperation('sources:v1', { first: SOURCES_MAX });
  return (
    <Loaded asked={asked} what="the source">
      {({ sources }) => {
        const source = sources.edges.find(({ node }) => node.name === name)?.node;
        return source ? <Shown source={source} /> : <NotHere />;
      }}
    </Loaded>
  );
}

function Shown({ source: { name, classification, licence, purposes, retention, personal } }: { source: Source }) {
  const { tenant } = sourceRoute.useParams();
  useEffect(() => {
    document.title = `${name} · Sources · IntelGraph`;
  }, [name]);
  const [mayImport, mayExport] = [useMay('import.run'), useMay('entity.export')];
  const means = (words: { id: string; says: string }[], id: string) => words.find((word) => word.id === id)?.says;
  return (
    <Page title={name} lead={<Link to="/t/$tenant/sources" params={{ tenant }}>Sources</Link>}
      actions={(
        <>
          {mayExport && <Export source={name} />}
          <Link to="/t/$tenant/search" params={{ tenant }} search={{ source: [name] }} className={button.button}><Search size={14} aria-hidden /> Search in it</Link>
          {mayImport && <Link to="/t/$tenant/sources/-/import" params={{ tenant }} search={{ into: name }} className={`${button.button} ${button.main}`}><Plus size={14} aria-hidden /> Import more</Link>}
        </>
      )}>
      <div className={styles.columns}>
        <Section title="Terms" note="Stated once; they hold for all that it says">
          <Pairs of={[
            ['Classification', <span key="class"><Classification of={classification} /> <small>of what does not carry one itself</small></span>],
            ['Licence', <span key="licence">{licence} <small>{means(LICENCES, licence)}</small></span>],
            ['Purposes', purposes.join(', ')],
            ['Kept', <span key="kept">{retention} <small>{means(RETENTIONS, retention)}</small></span>],
            ['Personal data', personal ? 'yes' : 'no'],
          ]} />
        </Section>
        <Section title="What it speaks of" note="As far as you may see"><Types name={name} tenant={tenant} /></Section>
      </div>
      {mayImport && <Section title="Imports"><Imports name={name} tenant={tenant} /></Section>}
    </Page>
  );
}

function Types({ name, tenant }: { name: string; tenant: string }) {
  const asked = useOperation('search:v4', { q: '', first: 1, facets: true, sources: [name], includeRevoked: true });
  return (
    <Loaded asked={asked} rows={4} what="the index">
      {({ search }) => {
        const types = search.facets?.filter(({ field }) => field === 'type') ?? [];
        if (types.length === 0) return <p className={styles.none}>Nothing can be found yet.</p>;
        return (
          <ul className={styles.types}>
            {types.map(({ value, count: number }) => (
              <li key={value}>
                <Link to="/t/$tenant/search" params={{ tenant }} search={{ source: [name], type: [value], form: 'all' }}><KindIcon type={value} size={16} /><span>{wordsOf(value)}</span><b>{count(number)}</b></Link>
              </li>
            ))}
          </ul>
        );
      }}
    </Loaded>
  );
}

function Imports({ name, tenant }: { name: string; tenant: string }) {
  const asked = useRuns();
  return (
    <Loaded asked={asked} rows={3} what="the imports">
      {({ runs }) => {
        const mine = runs.edges.map(({ node }) => node).filter(({ source }) => source === name);
        return mine.length ? <RunTable tenant={tenant} runs={mine} bySource={false} /> : <Empty title="None of yours">Imports of others are shown to who may see everything.</Empty>;
      }}
    </Loaded>
  );
}
