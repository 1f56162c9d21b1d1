import { Link } from '@tanstack/react-router';
import { Check, CircleAlert, Download, LoaderCircle, RotateCcw, Search, Unplug, X } from 'lucide-react';
import { useEffect, useState } from 'react';

import { type Going, useGoing, useProgress } from '../gateway/progress.ts';
import { bytes, count, counted, duration } from '../shell/amount.ts';
import { Button, IconButton } from '../shell/button.tsx';
import button from '../shell/button.module.css';
import styles from './progress.module.css';
import { saveRejects } from './rejects.ts';
import { again, forget, isOnNode, stop, type Summary, type Upload, useUploads } from './upload.ts';

/** The imports that this page sends, each with how far it is. */
export function Progress({ tenant, only }: { tenant: string; only?: number }) {
  const uploads = useUploads().filter(({ id }) => only === undefined || id === only);
  if (uploads.length === 0) return null;
  return <div className={styles.progress}>{uploads.toReversed().map((upload) => <Card key={upload.id} upload={upload} tenant={tenant} />)}</div>;
}

const SIGNS = { sending: LoaderCircle, reading: LoaderCircle, done: Check, refused: CircleAlert, broken: Unplug, stopped: CircleAlert };

function Card({ upload, tenant }: { upload: Upload; tenant: string }) {
  const { id, wanted, phase, summary } = upload;
  const Sign = SIGNS[phase];
  const isOver = phase !== 'sending' && phase !== 'reading';
  const name = wanted.files.length === 1 ? wanted.files[0]!.name : counted(wanted.files.length, 'file');
  return (
    <section className={styles.card} data-phase={summary?.error ? 'broken' : phase} aria-label={`Import of ${name}`}>
      <header>
        <Sign size={18} aria-hidden className={isOver ? undefined : styles.turning} />
        <h2>{name} <span>to source {wanted.source}</span></h2>
        {phase === 'sending' && <Button onPress={() => stop(id)}>Stop</Button>}
        {(phase === 'broken' || phase === 'stopped') && <Button main onPress={() => again(id)}><RotateCcw size={14} aria-hidden /> Send again</Button>}
        {isOver && <IconButton label="Put away" onPress={() => forget(id)}><X size={16} /></IconButton>}
      </header>
      {phase === 'sending' && <Sending upload={upload} />}
      {phase === 'reading' && <Reading upload={upload} />}
      {phase === 'done' && <Done summary={summary!} source={wanted.source} tenant={tenant} />}
      {phase === 'refused' && <p role="alert">Nothing was written: {upload.says}</p>}
      {phase === 'broken' && <p role="alert">It broke off after {bytes(upload.sent)} of {bytes(upload.total)}: {upload.says ?? 'the node stopped answering'}. What was durable by then is in. Send it again: what is there already counts as unchanged.</p>}
      {phase === 'stopped' && <p role="status">Stopped after {bytes(upload.sent)} of {bytes(upload.total)}. What was read by then is in, and the import is recorded as failed.</p>}
    </section>
  );
}

function Sending({ upload: { sent, total, rate, request } }: { upload: Upload }) {
  const left = rate > 0 ? (total - sent) / rate : undefined;
  const going = useGoing((run) => run.request === request);
  return (
    <>
      <progress max={total || 1} value={sent} aria-label="Sent" />
      <p className={styles.line}>
        <span>{bytes(sent)} of {bytes(total)}</span>
        {rate > 0 && <span>{bytes(rate)} a second</span>}
        {left !== undefined && <span>about {duration(Math.ceil(left))} left</span>}
        <Counts of={going} />
        <b>Leave this page open until the node has it all. Other pages of the app may be opened.</b>
      </p>
    </>
  );
}

/** The node has all of it, or is about to: how far it has read, and what became of it. */
function Reading({ upload }: { upload: Upload }) {
  const { total, beganMs, request } = upload;
  const { progress } = useProgress();
  const going = useGoing((run) => run.request === request);
  useSeconds();
  const behind = progress ? Math.max(0, ...progress.followers.map(({ lsn }) => progress.lsn - lsn)) : 0;
  return (
    <>
      {going?.phase === 'reading' && going.bytes ? <progress aria-label="The node reads it" max={going.bytes} value={going.bytes_read} /> : <progress aria-label="The node reads it" />}
      <p className={styles.line}>
        <span>All {bytes(total)} are sent</span>
        <span>{duration((Date.now() - beganMs) / 1000)}</span>
        {going?.phase === 'settling' && <span>relations whose ends came later are settled</span>}
        <Counts of={going} />
        {behind > 0 && <span>{counted(behind, 'record')} not searchable yet</span>}
        <b>{isOnNode(upload) || going?.phase === 'settling' ? 'You may close this page: the node goes on by itself.' : 'Leave this page open a moment longer: the node takes the last of it.'}</b>
      </p>
    </>
  );
}

/** What became so far of what was read. */
function Counts({ of: going }: { of: Going | undefined }) {
  if (!going?.read) return null;
  const { read, created = 0, updated = 0, unchanged = 0, rejected = 0 } = going;
  const parts = ([[created, 'new'], [updated, 'changed'], [unchanged, 'as before'], [rejected, 'rejected']] as const).filter(([number]) => number > 0);
  return <span>{count(read)} read{parts.map(([number, word]) => `, ${count(number)} ${word}`)}</span>;
}

function Done({ summary, source, tenant }: { summary: Summary; source: string; tenant: string }) {
  const { run, read, created, updated, unchanged, rejected, seconds, searchable, error, notes } = summary;
  return (
    <>
      {error && <p role="alert">A file ended before its end: {error}. What was read stands.</p>}
      <dl className={styles.counts}>
        {([['Read', read], ['New', created], ['Changed', updated], ['As before', unchanged], ['Rejected', rejected]] as const).map(([word, number]) => (
          <div key={word} data-bad={(word === 'Rejected' && number > 0) || undefined}><dt>{word}</dt><dd>{count(number)}</dd></div>
        ))}
      </dl>
      <p className={styles.line} role="status">
        <span>{searchable ? 'Durable and searchable' : 'Durable; the index is still catching up'} after {duration(seconds)}</span>
        {seconds > 0 && read > 0 && <span>{count(Math.round(read / seconds))} objects a second</span>}
      </p>
      {notes?.map((note) => <p key={note} className={styles.note}>{note}</p>)}
      <p className={styles.ways}>
        <Link to="/t/$tenant/search" params={{ tenant }} search={{ source: [source], sort: 'newest' }} className={button.button}><Search size={14} aria-hidden /> See what it says</Link>
        <Link to="/t/$tenant/sources/-/imports/$run" params={{ tenant, run }} className={button.button}>The import</Link>
        {rejected > 0 && <Button onPress={() => void saveRejects(run)}><Download size={14} aria-hidden /> Save the {counted(rejected, 'reject')}</Button>}
      </p>
    </>
  );
}

/** Draws anew every second. */
function useSeconds() {
  const [, setAt] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setAt(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
}
