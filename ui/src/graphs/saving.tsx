import { Link, useNavigate } from '@tanstack/react-router';
import { Copy, Save, Trash2, Users } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { Dialog, DialogTrigger } from 'react-aria-components/Dialog';
import { Popover } from 'react-aria-components/Popover';

import { type Data, GatewayError, run } from '../gateway/run.ts';
import { queries } from '../gateway/use.ts';
import { Button } from '../shell/button.tsx';
import { copyText } from '../shell/copy.tsx';
import menu from '../shell/menu.module.css';
import { type Draft, forget, leave, nameOf } from './drafts.ts';
import { written } from './model.ts';
import { graphRoute } from './routes.tsx';
import styles from './saving.module.css';
import type { Doing } from './work.ts';

export type SavedGraph = NonNullable<Data<'graph:v1'>['graph']>['graph'];

type Kept = Draft['kept'];

const NAME_CHARS_MAX = 200;
const NOTE_CHARS_MAX = 10_000;

/** The name of the graph, whether it is saved, and saving it. */
export function Saving({ doing, kept, onKept }: { doing: Doing; kept: Kept; onKept: (kept: Kept) => void }) {
  const { tenant } = graphRoute.useParams();
  const { saved } = kept;
  const unsaved = doing.work.graph !== kept.graph;
  return (
    <div className={styles.saving}>
      <div className={styles.names}>
        <Link to="/t/$tenant/graphs" params={{ tenant }}>Graphs</Link> <span aria-hidden>/</span>
        <h1 title={saved?.note || undefined}>{saved?.name ?? 'New graph'}</h1>
        {saved?.shared && <span className={styles.shared} title="Others may open it who may see all that is on it"><Users size={14} aria-hidden /> shared</span>}
        {saved && !saved.own && <span className={styles.shared}>somebody else’s</span>}
        <span role="status" className={styles.state}>{saved ? (unsaved ? 'changed' : 'saved') : ''}</span>
      </div>
      {!doing.isPast && doing.work.graph.things.size > 0 && (
        <div className={styles.ways}>
          <SaveButton doing={doing} kept={kept} onKept={onKept} copy={saved !== null && !saved.own} />
          {saved && <ShareLink />}
          {saved?.own && <Delete saved={saved} />}
        </div>
      )}
    </div>
  );
}

function SaveButton({ doing, kept, onKept, copy }: { doing: Doing; kept: Kept; onKept: (kept: Kept) => void; copy: boolean }) {
  const [open, setOpen] = useState(false);
  const [failed, setFailed] = useState<GatewayError | null>(null);
  const navigate = useNavigate();
  const { tenant, id } = graphRoute.useParams();
  const { seed } = graphRoute.useSearch();
  const save = async (words: { name: string; note: string; shared: boolean }, asCopy: boolean) => {
    const graph = doing.work.graph;
    const place = asCopy || !kept.saved ? {} : { id: kept.saved.id, version: kept.saved.version };
    try {
      const { data } = await run('graphSave:v1', { ...place, ...words, nodes: written(graph) });
      setOpen(false);
      setFailed(null);
      const now = { graph, saved: data.graphSave };
      onKept(now);
      void queries.invalidateQueries({ queryKey: ['graphs:v1'] });
      if (data.graphSave.id === id) return;
      // It goes on under its new address, with all that can be taken back.
      forget(nameOf(id, seed));
      leave(data.graphSave.id, { work: doing.work, kept: now });
      void navigate({ to: '/t/$tenant/graphs/$id', params: { tenant, id: data.graphSave.id }, search: {}, replace: true });
    } catch (error) {
      setFailed(error as GatewayError);
    }
  };
  return (
    <DialogTrigger isOpen={open} onOpenChange={setOpen}>
      <Button main><Save size={14} aria-hidden /> {copy ? 'Save a copy' : 'Save'}</Button>
      <Popover className={`${menu.popover} ${menu.card}`} placement="bottom start">
        <Dialog aria-label="Save the graph" className={styles.dialog}>
          <Form saved={kept.saved} copy={copy} failed={failed} onSave={(words, asCopy) => void save(words, asCopy)} />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

function Form({ saved, copy, failed, onSave }: {
  saved: SavedGraph | null; copy: boolean; failed: GatewayError | null; onSave: (words: { name: string; note: string; shared: boolean }, asCopy: boolean) => void;
}) {
  const [words, setWords] = useState({ name: saved ? (copy ? `${saved.name} (copy)` : saved.name) : '', note: saved?.note ?? '', shared: (!copy && saved?.shared) ?? false });
  const stale = failed?.code === 'superseded';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSave(words, copy || stale);
  };
  return (
    <form onSubmit={submit} className={styles.form}>
      <label>Name <input required maxLength={NAME_CHARS_MAX} autoFocus value={words.name} onChange={(event) => setWords({ ...words, name: event.target.value })} /></label>
      <label>Note <textarea rows={4} maxLength={NOTE_CHARS_MAX} value={words.note} onChange={(event) => setWords({ ...words, note: event.target.value })} /></label>
      <label className={styles.check}><input type="checkbox" checked={words.shared} onChange={(event) => setWords({ ...words, shared: event.target.checked })} /> Share it</label>
      <p>A shared graph opens to whoever may see everything that you see on it, name and note included; to nobody else.</p>
      {failed && <p role="alert" className={styles.failed}>{stale ? 'It was saved by another window meanwhile. Save a copy, or open that version.' : failed.message}</p>}
      <Button main type="submit">{copy || stale ? 'Save a copy' : 'Save'}</Button>
    </form>
  );
}

function ShareLink() {
  const [said, setSaid] = useState('Link');
  const copy = async () => {
    await copyText(location.origin + location.pathname);
    setSaid('Copied');
    setTimeout(() => setSaid('Link'), 2_000);
  };
  return <Button onPress={() => void copy()}><Copy size={14} aria-hidden /> {said}</Button>;
}

function Delete({ saved }: { saved: SavedGraph }) {
  const { tenant } = graphRoute.useParams();
  const navigate = useNavigate();
  const [failed, setFailed] = useState('');
  const remove = async () => {
    try {
      await run('graphDelete:v1', { id: saved.id });
      forget(saved.id);
      void queries.invalidateQueries({ queryKey: ['graphs:v1'] });
      void navigate({ to: '/t/$tenant/graphs', params: { tenant } });
    } catch (error) {
      setFailed((error as GatewayError).message);
    }
  };
  return (
    <DialogTrigger>
      <Button><Trash2 size={14} aria-hidden /> Delete…</Button>
      <Popover className={`${menu.popover} ${menu.card}`} placement="bottom start">
        <Dialog aria-label="Delete the graph" className={styles.dialog}>
          <div className={styles.form}>
            <p>“{saved.name}” with its note is gone for everybody. What is on it stays.</p>
            {failed && <p role="alert" className={styles.failed}>{failed}</p>}
            <Button danger onPress={() => void remove()}>Delete this graph</Button>
          </div>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
