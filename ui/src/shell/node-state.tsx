import { Link } from '@tanstack/react-router';

import { type Link as State, type Progress, useProgress } from '../gateway/progress.ts';
import styles from './node-state.module.css';
import { Degraded } from './states.tsx';

const WORDS: Record<State, [string, string]> = {
  connecting: ['Connecting', 'The node is asked what goes on'],
  live: ['Live', 'What is shown follows what goes on'],
  reconnecting: ['Reconnecting', 'The node does not answer; it is tried again by itself'],
  refused: ['Not live', 'The node has no stream for this window, or too many are open; pages are right when they are opened'],
  resting: ['Resting', 'Nobody looked; it goes on by itself'],
};

/** What of the node is behind: it has records that cannot be found by words yet. */
function behindOf(progress: Progress | undefined) {
  return progress?.followers.find(({ state }) => state !== 'current');
}

/** How the node is, in a word; more is a press away. */
export function NodeState({ tenant }: { tenant: string }) {
  const { link, progress } = useProgress();
  const isBehind = link === 'live' && behindOf(progress) !== undefined;
  const [words, means] = isBehind ? ['Indexing', 'The newest records cannot be found by words yet'] : WORDS[link];
  return (
    <Link to="/t/$tenant/node" params={{ tenant }} className={styles.state} data-is={isBehind ? 'behind' : link} title={progress ? `${means}. Log position ${progress.lsn.toLocaleString('en')}` : means}>
      <span className={styles.dot} aria-hidden />
      <span className={styles.words}>{words}</span>
    </Link>
  );
}

/** What is wrong with the node, over every page, until it is right again. */
export function NodeStrip() {
  const { link, progress } = useProgress();
  if (link === 'reconnecting') return <Degraded stopped>The node does not answer. What is shown is what it last said; it is tried again by itself.</Degraded>;
  const behind = behindOf(progress);
  if (!behind || !progress) return null;
  const effect = behind.state === 'lagging' ? 'the newest records cannot be found by words yet' : 'search may not find everything';
  return (
    <Degraded>
      The {behind.name} index is {behind.state}, at {behind.lsn.toLocaleString('en')} of {progress.lsn.toLocaleString('en')}: {effect}.
    </Degraded>
  );
}
