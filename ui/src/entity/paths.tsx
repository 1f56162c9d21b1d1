import { Link, useNavigate } from '@tanstack/react-router';
import { ArrowRight, Route } from 'lucide-react';

import type { Data } from '../gateway/run.ts';
import { useOperation } from '../gateway/use.ts';
import { KindIcon } from '../kinds/icon.tsx';
import { wordsOf } from '../kinds/shapes.ts';
import { Pick } from '../search/pick.tsx';
import { Empty, Loaded, NotHere, Partial } from '../shell/states.tsx';
import styles from './paths.module.css';
import { entityRoute } from './routes.tsx';

const DEPTH_MAX = 4;

type Found = NonNullable<Data<'paths:v2'>['paths']>;

/** The shortest ways from this thing to another, over what the reader may see. */
export function Paths({ id }: { id: string }) {
  const { to } = entityRoute.useSearch();
  const navigate = useNavigate({ from: entityRoute.fullPath });
  return (
    <div className={styles.paths}>
      <Pick label="Paths to…" onPick={(to) => void navigate({ search: (before) => ({ ...before, to }) })} />
      {to ? <Between from={id} to={to} /> : (
        <Empty title="Paths" icon={Route} cli={`intelgraph path ${id} TO --depth ${DEPTH_MAX}`}>
          Name another thing, and the shortest ways between the two are listed: at most {DEPTH_MAX} hops, in either direction.
        </Empty>
      )}
    </div>
  );
}

function Between({ from, to }: { from: string; to: string }) {
  const asked = useOperation('paths:v2', { from, to, depth: DEPTH_MAX });
  return (
    <Loaded asked={asked} what="the paths">
      {({ paths }) => {
        if (!paths) return <NotHere />;
        if (paths.paths.length === 0) return <Empty title="No path" icon={Route}>Nothing that you may see joins the two within {DEPTH_MAX} hops.</Empty>;
        return (
          <>
            <p role="status" className={styles.count}>{paths.paths.length} shortest {paths.paths.length === 1 ? 'path' : 'paths'}, {paths.paths[0]!.length - 1} {paths.paths[0]!.length === 2 ? 'hop' : 'hops'}</p>
            <ol className={styles.list}>{paths.paths.map((path) => <Line key={path.join()} path={path} things={paths.things} />)}</ol>
            {paths.truncated && <Partial shown={paths.paths.length} what="paths">There may be more than were looked for.</Partial>}
          </>
        );
      }}
    </Loaded>
  );
}

function Line({ path, things }: { path: string[]; things: Found['things'] }) {
  const { tenant } = entityRoute.useParams();
  return (
    <li>
      {path.map((id, index) => {
        const thing = things.find((one) => one.id === id);
        return (
          <span key={id} className={styles.step}>
            {index > 0 && <ArrowRight size={14} aria-label="then" />}
            {thing && <KindIcon type={thing.type} />}
            <Link to="/t/$tenant/e/$id" params={{ tenant, id }} title={thing && wordsOf(thing.type)}>{thing?.title ?? id}</Link>
          </span>
        );
      })}
    </li>
  );
}
