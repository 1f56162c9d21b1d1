import { Play, Square, X } from 'lucide-react';
import { type FormEvent, useState } from 'react';

import { bytes, count, counted } from '../shell/amount.ts';
import { Button, IconButton } from '../shell/button.tsx';
import { Drop } from '../shell/drop.tsx';
import { Field } from '../shell/field.tsx';
import { Section } from '../shell/page.tsx';
import styles from './asking.module.css';
import { BYTES_MAX, type Form, type Tuning } from './tuning.ts';

/** A text of this length is shown to be edited; a longer one by its name and size. */
const SHOWN_CHARS_MAX = 100_000;
const EXAMPLE = '{"query":"stolen tickets","relevant":["t-1","t-2"]}\n{"query":"stolen tickets","document":"t-3","grade":2}';
const FORMS: [Form, string][] = [['entity', 'Entities'], ['relation', 'Relations'], ['all', 'Both']];

/** Judged queries as a file or as a text, and how far the asking of them is. */
export function Asking({ tuning: { judged, file, form, asking }, onChange, onBegin, onStop }: {
  tuning: Tuning; onChange: (to: Partial<Tuning>) => void; onBegin: () => void; onStop: () => void;
}) {
  const [says, setSays] = useState('');
  const lines = judged.split('\n').filter((line) => line.trim()).length;
  const take = async (found: File) => {
    if (found.size > BYTES_MAX) return setSays(`${found.name} has ${bytes(found.size)}; at most ${bytes(BYTES_MAX)} are taken. Give fewer queries.`);
    setSays('');
    onChange({ judged: await found.text(), file: found.name });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (lines === 0) return setSays('Give judged queries: a file, or lines of JSON.');
    setSays('');
    onBegin();
  };
  return (
    <Section title="Judged queries" note="Of what you may see; nothing is set by asking">
      <form className={styles.asking} onSubmit={submit} aria-busy={asking !== undefined}>
        <Drop label="File of judged queries" onFile={(file) => void take(file)}>{file ?? 'Drop a file here, or choose one: a line of JSON for each query or judgement'}</Drop>
        {judged.length <= SHOWN_CHARS_MAX ? (
          <Field label="Or as a text" hint={<>What is <code>relevant</code> is named by its id. Grades rise with relevance. {lines > 0 && counted(lines, 'line')}</>}>
            {(control) => <textarea {...control} rows={6} spellCheck={false} placeholder={EXAMPLE} value={judged} onChange={(event) => onChange({ judged: event.target.value, file: undefined })} />}
          </Field>
        ) : (
          <p className={styles.long}>{counted(lines, 'line')}, {bytes(new Blob([judged]).size)} <IconButton label="Take it out" onPress={() => onChange({ judged: '', file: undefined })}><X size={14} /></IconButton></p>
        )}
        <div className={styles.go}>
          <Field label="Searched among">
            {(control) => <select {...control} value={form} onChange={(event) => onChange({ form: event.target.value as Form })}>{FORMS.map(([id, word]) => <option key={id} value={id}>{word}</option>)}</select>}
          </Field>
          {asking ? <Button onPress={onStop}><Square size={14} aria-hidden /> Stop</Button> : <Button main type="submit"><Play size={14} aria-hidden /> Ask them</Button>}
          <p role="status" className={styles.told}>
            {asking && <><progress max={asking.of ?? 1} value={asking.of ? asking.asked : undefined} aria-label="Queries asked" /> {asking.of ? `${count(asking.asked)} of ${counted(asking.of, 'query', 'queries')} asked` : 'Being sent'}; leaving this page ends it.</>}
          </p>
        </div>
        {says && <p role="alert" className={styles.says}>{says}</p>}
      </form>
    </Section>
  );
}
