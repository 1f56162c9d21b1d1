// The eight states that a page, or a part of one, can be in. Each looks the same wherever it is met.

import { AlertTriangle, ChevronRight, Clock, EyeOff, Inbox, Info, Lock, type LucideIcon, SearchX, Unplug } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';

import type { GatewayError, Operation } from '../gateway/run.ts';
import type { Asked } from '../gateway/use.ts';
import type { Data } from '../gateway/run.ts';
import { Button } from './button.tsx';
import { CopyButton } from './copy.tsx';
import styles from './states.module.css';

/** Nothing is shown for so long, then the shape of what comes, then what is awaited, then a way out; milliseconds. */
const SHAPE_MS = 150;
const AWAITED_MS = 2_000;
const CANCEL_MS = 10_000;

/** There is nothing yet: what will be here, and how it comes here. */
export function Empty({ title, children, action, cli, icon: Icon = Inbox }: {
  title: string; children?: ReactNode; action?: ReactNode; cli?: string; icon?: LucideIcon;
}) {
  return (
    <div className={styles.whole} data-state="empty">
      <Icon size={28} strokeWidth={1.5} className={styles.sign} aria-hidden />
      <h2>{title}</h2>
      {children && <div className={styles.words}>{children}</div>}
      {action}
      {cli && <p className={styles.cli}><code>{cli}</code><CopyButton text={cli} what="command" /></p>}
    </div>
  );
}

/** It is on its way. */
export function Loading({ rows = 6, what = 'the node', onCancel }: { rows?: number; what?: string; onCancel?: () => void }) {
  const waited = useWaited([SHAPE_MS, AWAITED_MS, CANCEL_MS]);
  if (waited < SHAPE_MS) return <div aria-busy className={styles.nothing} data-state="loading" />;
  return (
    <div aria-busy className={styles.loading} data-state="loading">
      {Array.from({ length: rows }, (_, row) => <div key={row} className={styles.bar} />)}
      <p role="status" className={styles.words}>
        {waited >= AWAITED_MS && `Waiting for ${what}.`}
        {waited >= CANCEL_MS && onCancel && <> <Button quiet onPress={onCancel}>Cancel</Button></>}
      </p>
    </div>
  );
}

function useWaited(marks: number[]): number {
  const [waited, setWaited] = useState(0);
  useEffect(() => {
    const timers = marks.map((mark) => setTimeout(() => setWaited(mark), mark));
    return () => timers.forEach(clearTimeout);
  }, []);
  return waited;
}

/** Only a part is shown: how much of how much, and the way to more. It stays as long as that is so. */
export function Partial({ shown, total, what, children }: { shown: number; total?: number; what: string; children?: ReactNode }) {
  const of = total === undefined ? '' : ` of ${total.toLocaleString('en')}`;
  return (
    <Strip state="partial">
      <span>{shown.toLocaleString('en')}{of} {what} shown</span>
      {children}
    </Strip>
  );
}

/** What was asked for is not there, or not for this reader; which of the two nobody is told. */
export function NotHere() {
  return (
    <div className={styles.whole} data-state="not-here">
      <SearchX size={28} strokeWidth={1.5} className={styles.sign} aria-hidden />
      <h1>Not here, or not visible to you</h1>
      <p className={styles.words}>
        There is nothing at this address that you may see. If somebody sent you the link, they may be allowed to see more;
        whoever looks after this node can tell.
      </p>
    </div>
  );
}

/** A value that this reader may not see, where it would have stood. */
export function Withheld() {
  return (
    <span className={styles.withheld} data-state="withheld" title="A value is here that you may not see">
      <EyeOff size={12} aria-hidden /> Withheld
    </span>
  );
}

/** Something failed: what, and what to do. The rest of the page lives on. */
export function Failed({ error, onRetry }: { error: GatewayError | Error; onRetry?: () => void }) {
  const { code, status, requestId } = error as Partial<GatewayError>;
  const isDenied = status === 403;
  const Icon = code === 'unreachable' ? Unplug : isDenied ? Lock : AlertTriangle;
  return (
    <div className={styles.whole} role="alert" data-state="error">
      <Icon size={28} strokeWidth={1.5} className={isDenied ? styles.sign : styles.danger} aria-hidden />
      <h2>{code === 'unreachable' ? 'The node does not answer' : isDenied ? 'Your rights do not cover this' : 'This could not be shown'}</h2>
      <p className={`${styles.words} ${styles.sentence}`}>{error.message}</p>
      {onRetry && !isDenied && <Button onPress={onRetry}>Try again</Button>}
      {requestId && (
        <p className={styles.cli}>
          <span>{code} · request <code>{requestId}</code></span>
          <CopyButton text={requestId} what="request id" />
        </p>
      )}
    </div>
  );
}

/** A part of the node is not at its best: which, and what that means here. */
export function Degraded({ children, stopped = false }: { children: ReactNode; stopped?: boolean }) {
  return <Strip state={stopped ? 'stopped' : 'degraded'} icon={stopped ? Unplug : AlertTriangle}>{children}</Strip>;
}

/** Something to know of what is shown, about which nothing is wrong. */
export function Note({ children }: { children: ReactNode }) {
  return <Strip state="note" icon={Info}>{children}</Strip>;
}

/** What is shown is not the newest: as of when. */
export function Stale({ children }: { children: ReactNode }) {
  return <Strip state="stale" icon={Clock}>{children}</Strip>;
}

function Strip({ state, icon: Icon = ChevronRight, children }: { state: string; icon?: LucideIcon; children: ReactNode }) {
  return (
    <div className={styles.strip} role="status" data-state={state}>
      <Icon size={14} aria-hidden />
      <div>{children}</div>
    </div>
  );
}

/** What an operation answered, or the state that it is in instead. An answer stays on screen while the next is awaited. */
export function Loaded<O extends Operation>({ asked, rows, what, children }: {
  asked: Asked<O>; rows?: number; what?: string; children: (data: Data<O>, elided: string[]) => ReactNode;
}) {
  if (asked.data) return children(asked.data.data, asked.data.elided);
  if (asked.error) return asked.error.status === 404 ? <NotHere /> : <Failed error={asked.error} onRetry={() => void asked.refetch()} />;
  return <Loading rows={rows} what={what} />;
}
