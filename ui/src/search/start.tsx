import { Link } from '@tanstack/react-router';
import { Search } from 'lucide-react';

import { shorter } from '../entity/names.ts';
import { useOperation } from '../gateway/use.ts';
import { KindIcon } from '../kinds/icon.tsx';
import { wordsOf } from '../kinds/shapes.ts';
import { Empty, Loaded } from '../shell/states.tsx';
import { Time } from '../shell/time.tsx';
import { TourOffer } from '../tour/offer.tsx';
import styles from './start.module.css';

const NEWEST = 8;
const LANGUAGE: [string, string][] = [
  ['"credential dumping"', 'a phrase'], ['phishing -mobile', 'without a word'], ['type:malware', 'of a type'],
  ['source:attack', 'said by a source'], ['after:2024-01-01', 'observed since'],
];

/** The first page: how to ask, what there is, and what is new. */
export function Start({ tenant }: { tenant: string }) {
  const asked = useOperation('search:v4', { q: '', first: NEWEST, facets: true, newest: true, form: 'ENTITY' });
  return (
    <div className={styles.start}>
      <Loaded asked={asked} what="the index">
        {({ search }) => (search.edges.length === 0 ? <Nothing /> : (
          <>
            <section>
              <h1>What are you looking for?</h1>
              <p className={styles.lead}>Type in the box above, or press <kbd>/</kbd>. Hits come as you type; an exact id comes first.</p>
              <ul className={styles.language}>
                {LANGUAGE.map(([q, does]) => (
                  <li key={q}><Link to="/t/$tenant/search" params={{ tenant }} search={{ q }}><code>{q}</code></Link><span>{does}</span></li>
                ))}
              </ul>
            </section>
            <TourOffer />
            <section>
              <h2>What is here</h2>
              <ul className={styles.types}>
                {search.facets?.filter(({ field }) => field === 'type').slice(0, 16).map(({ value, count }) => (
                  <li key={value}>
                    <Link to="/t/$tenant/search" params={{ tenant }} search={{ type: [value] }}>
                      <KindIcon type={value} size={20} /><span>{wordsOf(value)}</span><b>{count.toLocaleString('en')}</b>
                    </Link>
                  </li>
                ))}
              </ul>
            </section>
            <section>
              <h2>Newest</h2>
              <ul className={styles.newest}>
                {search.edges.map(({ node }) => (
                  <li key={node.id}>
                    <KindIcon type={node.type} />
                    <Link to="/t/$tenant/e/$id" params={{ tenant, id: node.id }}>{node.title === node.id ? shorter(node.id) : node.title}</Link>
                    <span>{node.source} · <Time at={node.observedAt} /></span>
                  </li>
                ))}
              </ul>
            </section>
          </>
        ))}
      </Loaded>
    </div>
  );
}

function Nothing() {
  return (
    <Empty icon={Search} title="Nothing to find yet" cli="intelgraph import FILE --format stix --source NAME --purpose threat-intel --licence Open-Data-OK">
      What you import can be searched a moment later. If others have imported already, you may not be allowed to see it.
    </Empty>
  );
}
