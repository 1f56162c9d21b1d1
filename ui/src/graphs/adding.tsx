import { useQuery } from '@tanstack/react-query';
import { Waypoints, X } from 'lucide-react';
import { type ReactNode, useState } from 'react';

import { type Answer, type GatewayError, run } from '../gateway/run.ts';
import { KindIcon } from '../kinds/icon.tsx';
import { wordsOf } from '../kinds/shapes.ts';
import { Button, IconButton } from '../shell/button.tsx';
import { Empty } from '../shell/states.tsx';
import styles from './adding.module.css';
import type { Doing } from './work.ts';

const HITS = 8;

export interface Adding {
  open: () => void;
  /** What stands where the drawing will be. */
  empty: ReactNode;
  panel: ReactNode;
}

/** Finding things to put on the graph. */
export function useAdding(doing: Doing): Adding {
  const [open, setOpen] = useState(false);
  return {
    open: () => setOpen(true),
    empty: (
      <Empty title="Nothing on this graph yet" icon={Waypoints}>
        <div className={styles.first}><Finder doing={doing} /></div>
      </Empty>
    ),
    panel: open && doing.graph.things.size > 0 && (
      <div className={styles.panel} role="group" aria-label="Add things">
        <IconButton label="Close" onPress={() => setOpen(false)}><X size={16} /></IconButton>
        <Finder doing={doing} />
      </div>
    ),
  };
}

function Finder({ doing }: { doing: Doing }) {
  const [words, setWords] = useState('');
  const asked = useQuery<Answer<'search:v4'>, GatewayError>({
    queryKey: ['search:v4', 'graph', words],
    queryFn: ({ signal }) => run('search:v4', { q: words, first: HITS }, signal),
    enabled: words.trim().length > 1,
    placeholderData: (before) => before,
  });
  const hits = words.trim().length > 1 ? asked.data?.data.search.edges.map(({ node }) => node) ?? [] : [];
  return (
    <div className={styles.finder}>
      <input type="search" aria-label="Find things to add" placeholder="Find things by words or id" autoFocus value={words} onChange={(event) => setWords(event.target.value)} />
      {asked.error && <p role="alert">{asked.error.message}</p>}
      {words.trim().length > 1 && asked.data && hits.length === 0 && <p>Nothing found for these words</p>}
      <ul>
        {hits.map(({ id, type, title }) => (
          <li key={id}>
            <KindIcon type={type} size={16} /> <span>{title} <small>{wordsOf(type)}</small></span>
            {doing.graph.things.has(id) ? <em>drawn</em> : <Button quiet onPress={() => void doing.add([id])}>Add</Button>}
          </li>
        ))}
      </ul>
    </div>
  );
}
