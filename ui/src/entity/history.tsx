import type { Json } from '../gateway/operations.ts';
import type { Data } from '../gateway/run.ts';
import { useOperation } from '../gateway/use.ts';
import { Empty, Loaded, NotHere, Partial } from '../shell/states.tsx';
import { Time } from '../shell/time.tsx';
import styles from './history.module.css';
import { entityRoute } from './routes.tsx';
import { Value } from './value.tsx';
import { Link } from '@tanstack/react-router';

type Change = NonNullable<Data<'entityHistory:v1'>['entityHistory']>['edges'][number]['node'];

const SHOWN_MAX = 200;

/** Everything that was ever said, newest first: what each source added, changed and no longer says. */
export function History({ id }: { id: string }) {
  const asked = useOperation('entityHistory:v1', { id, first: SHOWN_MAX });
  return (
    <Loaded asked={asked}>
      {({ entityHistory }) => {
        if (!entityHistory) return <NotHere />;
        const changes = entityHistory.edges.map(({ node }) => node);
        if (changes.length === 0) return <Empty title="No change">Nothing that you may see was said of it, or taken back.</Empty>;
        return (
          <>
            {entityHistory.pageInfo.hasNextPage && <Partial shown={changes.length} what="oldest changes"><code>intelgraph entity history {id}</code> has them all</Partial>}
            <ol className={styles.history}>
              {changes.map((change, index) => <Step key={change.lsn} change={change} before={changes.slice(0, index).findLast(({ source }) => source === change.source)} />).toReversed()}
            </ol>
          </>
        );
      }}
    </Loaded>
  );
}

function Step({ change, before }: { change: Change; before?: Change }) {
  const differences = compare(change, before);
  return (
    <li className={styles.step}>
      <header>
        <Link from={entityRoute.fullPath} to="." search={{ asOf: change.recordedAt }} title="The whole entity as of then"><Time at={change.recordedAt} /> {change.recordedAt.slice(11, 16)}</Link>
        <b>{change.source}</b>
        <span>{before ? summary(differences) : `said ${differences.length} things for the first time`}</span>
        {change.status !== 'active' && <span className={styles.status}>{change.status}</span>}
        <span className={styles.record}>record {change.lsn.toLocaleString('en')}{change.replacedAt && <>, held until <Time at={change.replacedAt} /></>}</span>
      </header>
      {before && differences.length > 0 && (
        <dl>
          {differences.map(({ name, was, is }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{was !== undefined && <del><Value of={was} short /></del>}{is !== undefined && <ins><Value of={is} short /></ins>}</dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  );
}

interface Difference {
  name: string;
  was?: Json;
  is?: Json;
}

function compare(change: Change, before?: Change): Difference[] {
  const [is, was] = [change, before].map((one) => new Map(one?.attributes.map(({ name, value }) => [name, value] as const)));
  const names = [...new Set([...was!.keys(), ...is!.keys()])];
  return names.map((name) => ({ name, was: was!.get(name), is: is!.get(name) })).filter(({ was, is }) => JSON.stringify(was) !== JSON.stringify(is));
}

function summary(differences: Difference[]): string {
  if (differences.length === 0) return 'said the same again';
  const count = (test: (one: Difference) => boolean, word: string) => {
    const number = differences.filter(test).length;
    return number ? `${word} ${number}` : '';
  };
  const parts = [count(({ was }) => was === undefined, 'added'), count(({ was, is }) => was !== undefined && is !== undefined, 'changed'), count(({ is }) => is === undefined, 'took back')];
  return parts.filter(Boolean).join(', ');
}
