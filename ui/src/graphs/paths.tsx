import { useOperation } from '../gateway/use.ts';
import { Button } from '../shell/button.tsx';
import { Loaded, NotHere, Partial } from '../shell/states.tsx';
import styles from './inspector.module.css';
import type { Doing } from './work.ts';

const PATHS_MAX = 10;
const DEPTH_MAX = 4;

/** The shortest paths between two things, one a row, each to be put on the graph. */
export function PathsBetween({ from, to, doing }: { from: string; to: string; doing: Doing }) {
  const asked = useOperation('paths:v2', { from, to, depth: DEPTH_MAX });
  return (
    <Loaded asked={asked} rows={3}>
      {({ paths }) => {
        if (!paths) return <NotHere />;
        if (paths.paths.length === 0) return <p className={styles.count}>No path of at most {DEPTH_MAX} steps</p>;
        const titles = new Map(paths.things.map(({ id, title }) => [id, title]));
        return (
          <section>
            <h3>Shortest paths</h3>
            <ol className={styles.list}>
              {paths.paths.slice(0, PATHS_MAX).map((path) => {
                const words = path.map((id) => titles.get(id) ?? id).join(' → ');
                return (
                  <li key={path.join()}>
                    <span title={words}>{words}</span>
                    {path.every((id) => doing.graph.things.has(id))
                      ? <em>drawn</em>
                      : !doing.isPast && <Button quiet onPress={() => void doing.add(path, from)}>Add</Button>}
                  </li>
                );
              })}
            </ol>
            {(paths.paths.length > PATHS_MAX || paths.truncated) && <Partial shown={Math.min(PATHS_MAX, paths.paths.length)} total={paths.truncated ? undefined : paths.paths.length} what="paths" />}
          </section>
        );
      }}
    </Loaded>
  );
}
