import { Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';

import { type Asked, queries, useOperation } from '../gateway/use.ts';
import styles from './node-state.module.css';
import { Degraded } from './states.tsx';

/** The node is asked how it is so often, in milliseconds; the same question as its own page asks. */
const EVERY_MS = 5_000;

type State = 'unreachable' | 'behind' | 'current' | 'unknown';

function useNode(): { asked: Asked<'node:v1'>; state: State } {
  const asked = useOperation('node:v1', {}, { every: EVERY_MS });
  if (asked.failureReason?.isPassing || asked.error?.isPassing) return { asked, state: 'unreachable' };
  if (!asked.data) return { asked, state: 'unknown' };
  const isBehind = asked.data.data.node.followers.some((follower) => follower.state !== 'current');
  return { asked, state: isBehind ? 'behind' : 'current' };
}

/** How the node is, in a word; more is a press away. */
export function NodeState({ tenant }: { tenant: string }) {
  const { asked, state } = useNode();
  const lsn = asked.data?.data.node.lsn;
  const words = { unreachable: 'No answer', behind: 'Indexing', current: 'Current', unknown: 'Asking' }[state];
  return (
    <Link to="/t/$tenant/node" params={{ tenant }} className={styles.state} data-is={state} title={lsn === undefined ? words : `${words}; log position ${lsn.toLocaleString('en')}`}>
      <span className={styles.dot} aria-hidden />
      <span className={styles.words}>{words}</span>
    </Link>
  );
}

/** What is wrong with the node, over every page, until it is right again. Then all that is shown is asked for anew. */
export function NodeStrip() {
  const { asked, state } = useNode();
  const before = useRef(state);
  useEffect(() => {
    if (before.current === 'unreachable' && state !== 'unreachable') void queries.invalidateQueries();
    before.current = state;
  }, [state]);
  if (state === 'unreachable') return <Degraded stopped>The node does not answer. What is shown is what it last said; it is asked again every {EVERY_MS / 1000} seconds.</Degraded>;
  const behind = asked.data?.data.node.followers.find((follower) => follower.state !== 'current');
  if (!behind) return null;
  const effect = behind.state === 'lagging' ? 'the newest records cannot be found by words yet' : 'search may not find everything';
  return (
    <Degraded>
      The {behind.name} index is {behind.state}, at {behind.lsn.toLocaleString('en')} of {asked.data!.data.node.lsn.toLocaleString('en')}: {effect}.
    </Degraded>
  );
}
