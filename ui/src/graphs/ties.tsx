import { Link } from '@tanstack/react-router';

import { useOperation } from '../gateway/use.ts';
import { Loaded, NotHere, Partial } from '../shell/states.tsx';
import { Time } from '../shell/time.tsx';
import styles from './inspector.module.css';
import { graphRoute } from './routes.tsx';

/** Every relation between two things, and what each source says of it, down to the record. */
export function TiesBetween({ from, to }: { from: string; to: string }) {
  const { tenant } = graphRoute.useParams();
  const { asOf } = graphRoute.useSearch();
  const asked = useOperation('graphBetween:v1', { from, to, asOf });
  return (
    <Loaded asked={asked} rows={4}>
      {({ graphBetween }) => (graphBetween ? (
        <>
          {graphBetween.of > graphBetween.relations.length && <Partial shown={graphBetween.relations.length} total={graphBetween.of} what="relations" />}
          <ul className={styles.ties}>
            {graphBetween.relations.map(({ id, kind, statements }) => (
              <li key={id}>
                <h3><Link to="/t/$tenant/e/$id" params={{ tenant, id }}>{kind}</Link></h3>
                {statements.map(({ source, status, weight, since, until, recordedAt, lsn }) => (
                  <dl key={lsn}>
                    <div><dt>said by</dt><dd>{source}{status !== 'active' && ` (${status})`}</dd></div>
                    {weight !== null && <div><dt>weight</dt><dd>{weight}</dd></div>}
                    <div><dt>holds</dt><dd>{since ? <>from <Time at={since} /></> : 'since: not said'}{until && <> until <Time at={until} /></>}</dd></div>
                    <div><dt>recorded</dt><dd><Time at={recordedAt} /></dd></div>
                    <div><dt>receipt</dt><dd><Link to="/t/$tenant/e/$id" params={{ tenant, id }} search={{ tab: 'provenance' }}>Record {lsn.toLocaleString('en')}</Link></dd></div>
                  </dl>
                ))}
              </li>
            ))}
          </ul>
        </>
      ) : <NotHere />)}
    </Loaded>
  );
}
