import { useQuery } from '@tanstack/react-query';
import { ArrowLeft, ArrowRight, X } from 'lucide-react';
import { useState } from 'react';
import { Dialog } from 'react-aria-components/Dialog';
import { Heading } from 'react-aria-components/Heading';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';

import { type Answer, type GatewayError, run } from '../gateway/run.ts';
import { KindIcon } from '../kinds/icon.tsx';
import { Button, IconButton } from '../shell/button.tsx';
import { Failed, Loading, NotHere, Partial } from '../shell/states.tsx';
import styles from './expanding.module.css';
import type { Doing, Order, Wish } from './work.ts';

const ORDERS: [Order, string][] = [
  ['STRONGEST', 'Strongest first'], ['NEWEST', 'Newest first'], ['MOST_CONNECTED', 'Most connected first'], ['LEAST_CONNECTED', 'Least connected first'],
];
const COUNTS = [25, 50, 100];
const PAGE = 25;

/** Which of many neighbours: by kind and direction, in which order, how many; or one by one. */
export function Expanding({ id, doing, onClose }: { id: string; doing: Doing; onClose: () => void }) {
  const [wishes, setWishes] = useState<Wish[]>([]);
  const [order, setOrder] = useState<Order>('STRONGEST');
  const [first, setFirst] = useState(COUNTS[0]!);
  const [find, setFind] = useState('');
  const title = doing.graph.things.get(id)?.title ?? id;
  const among = wishes.length ? wishes : undefined;
  const asked = useQuery<Answer<'graphNeighbours:v1'>, GatewayError>({
    queryKey: ['graphNeighbours:v1', id, wishes, order, find],
    queryFn: ({ signal }) => run('graphNeighbours:v1', { id, among, order, find: find || undefined, first: PAGE }, signal),
    placeholderData: (before) => before,
  });
  const found = asked.data?.data.graphNeighbours;
  const expand = () => {
    onClose();
    void doing.expand(id, { among, order, first });
  };
  return (
    <ModalOverlay isOpen isDismissable onOpenChange={(open) => !open && onClose()} className={styles.over}>
      <Modal className={styles.modal}>
        <Dialog className={styles.dialog}>
          <header>
            <Heading slot="title">Neighbours of {title}</Heading>
            <IconButton label="Close" onPress={onClose}><X size={16} /></IconButton>
          </header>
          {asked.error && <Failed error={asked.error} onRetry={() => void asked.refetch()} />}
          {!asked.data && !asked.error && <Loading what="the neighbours" />}
          {asked.data && !found && <NotHere />}
          {found && (
            <>
              <Kinds kinds={found.kinds} wishes={wishes} onChange={setWishes} />
              <div className={styles.how}>
                <label>Order <select value={order} onChange={(event) => setOrder(event.target.value as Order)}>{ORDERS.map(([word, text]) => <option key={word} value={word}>{text}</option>)}</select></label>
                <label>How many <select value={first} onChange={(event) => setFirst(Number(event.target.value))}>{COUNTS.map((count) => <option key={count}>{count}</option>)}</select></label>
                <Button main onPress={expand}>Add the first {Math.min(first, found.of)} of {found.of.toLocaleString('en')}</Button>
              </div>
              <List found={found} doing={doing} hub={id} find={find} onFind={setFind} />
            </>
          )}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

type Found = NonNullable<Answer<'graphNeighbours:v1'>['data']['graphNeighbours']>;

/** Kinds by direction, with counts; none chosen means all. */
function Kinds({ kinds, wishes, onChange }: { kinds: Found['kinds']; wishes: Wish[]; onChange: (wishes: Wish[]) => void }) {
  const has = (kind: string, direction: string) => wishes.some((wish) => wish.kind === kind && wish.direction === direction);
  const toggle = (kind: string, direction: 'OUT' | 'IN') => onChange(has(kind, direction)
    ? wishes.filter((wish) => wish.kind !== kind || wish.direction !== direction)
    : [...wishes, { kind, direction }]);
  return (
    <fieldset className={styles.kinds}>
      <legend>Over which relations{wishes.length === 0 && ': all'}</legend>
      {kinds.filter(({ direction }) => direction !== 'BOTH').map(({ kind, direction, count }) => (
        <label key={`${direction} ${kind}`}>
          <input type="checkbox" checked={has(kind, direction)} onChange={() => toggle(kind, direction as 'OUT' | 'IN')} />
          {direction === 'OUT' ? <ArrowRight size={14} aria-label="to others" /> : <ArrowLeft size={14} aria-label="from others" />}
          <span>{kind}</span> <b>{count.toLocaleString('en')}</b>
        </label>
      ))}
    </fieldset>
  );
}

/** One by one: what is drawn is marked, the rest can be pulled out. */
function List({ found, doing, hub, find, onFind }: { found: Found; doing: Doing; hub: string; find: string; onFind: (find: string) => void }) {
  return (
    <section className={styles.list}>
      <input type="search" aria-label="Find among the neighbours" placeholder="Find among them" value={find} onChange={(event) => onFind(event.target.value)} />
      <ul>
        {found.edges.map(({ node: { id, type, title } }) => (
          <li key={id}>
            <KindIcon type={type} size={16} /> <span>{title}</span>
            {doing.graph.things.has(id) ? <em>drawn</em> : <Button quiet onPress={() => void doing.add([id], hub)}>Add</Button>}
          </li>
        ))}
      </ul>
      {found.matching > found.edges.length && <Partial shown={found.edges.length} total={found.matching} what="neighbours">Find to narrow them down.</Partial>}
    </section>
  );
}
