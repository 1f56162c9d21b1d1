import { Link } from '@tanstack/react-router';
import { Upload as UploadIcon } from 'lucide-react';
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';

import { useOperation } from '../gateway/use.ts';
import { Classification } from '../shell/badge.tsx';
import { Button } from '../shell/button.tsx';
import { CopyButton } from '../shell/copy.tsx';
import { Choices, Field } from '../shell/field.tsx';
import { useMay } from '../shell/gate.tsx';
import { Page, Section } from '../shell/page.tsx';
import { NotHere } from '../shell/states.tsx';
import { usePreview } from './ask-preview.ts';
import { Files } from './files.tsx';
import { type Format, formatOf, FORMATS } from './format.ts';
import styles from './import-page.module.css';
import type { Source } from './list.ts';
import { Preview } from './preview.tsx';
import { Progress } from './progress.tsx';
import { importRoute } from './routes.tsx';
import { said, type Terms, TermsFields, UNSAID, wrongOf } from './terms.tsx';
import { begin } from './upload.ts';

const SOURCES_MAX = 1_000;

/** Bringing files in: which, from whom, on which terms; and what would become of them. */
export function ImportPage() {
  const { tenant } = importRoute.useParams();
  return useMay('import.run') ? (
    <Page title="New import" lead={<><Link to="/t/$tenant/sources" params={{ tenant }}>Sources</Link>. Files become entities and relations that a source says. What is refused is listed, and the rest is in.</>}>
      <Progress tenant={tenant} />
      <Wanting />
    </Page>
  ) : <NotHere />;
}

function Wanting() {
  const search = importRoute.useSearch();
  const [files, setFiles] = useState<File[]>([]);
  const [chosen, setChosen] = useState<Format | null>(null);
  const [guess, setGuess] = useState<Format | null>(null);
  const [source, setSource] = useState(search.into ?? '');
  const [terms, setTerms] = useState<Terms>(UNSAID);
  const [isChanging, setChanging] = useState(false);
  const [mapping, setMapping] = useState<string | null>(null);
  const [isTried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const [mayRead, mayChange] = [useMay('entity.read'), useMay('source.write')];
  const known = useOperation('sources:v1', { first: SOURCES_MAX }, { enabled: mayRead }).data?.data.sources.edges.map(({ node }) => node) ?? [];
  const match = known.find(({ name }) => name === source.trim());
  const format = chosen ?? guess;
  const preview = usePreview(files[0], format, mapping);
  const hasTerms = match !== undefined && !isChanging;
  const wrong = {
    ...(files.length ? {} : { files: 'An import needs a file.' }),
    ...(files.length && !format ? { format: 'What the file is cannot be told; choose it.' } : {}),
    ...(source.trim() ? {} : { source: 'Every import is said by a source: a short name, such as the feed or the system it comes from.' }),
    ...(hasTerms ? {} : wrongOf(terms)),
  };
  const says = isTried ? wrong : {};

  useEffect(() => {
    if (files[0]) void formatOf(files[0]).then(setGuess);
    setMapping(null);
  }, [files[0]]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(wrong).length > 0) {
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"], [aria-describedby$="-says"]:is(fieldset, input)')?.scrollIntoView({ block: 'center' }));
      return;
    }
    begin({ files, format: format!, source: source.trim(), terms: hasTerms ? {} : said(terms), mapping: format === 'csv' && mapping !== null ? mapping : undefined });
    setFiles([]);
    setTried(false);
    document.getElementById('main')?.scrollTo({ top: 0 });
  };
  return (
    <form ref={form} onSubmit={submit} noValidate className={styles.form}>
      <Section title="1. What">
        <div className={styles.part}>
          <Files files={files} onChange={setFiles} error={says.files} />
          {files.length > 0 && <Choices label="It is" columns of={FORMATS} value={format ? [format] : []} onChange={([format]) => setChosen(format!)} error={says.format} />}
        </div>
      </Section>
      {files.length > 0 && format && <Section title="What becomes of it" note="Nothing is written yet"><Preview asked={preview} mapping={mapping} onMapping={setMapping} /></Section>}
      <Section title="2. Who says it, and on which terms">
        <div className={styles.part}>
          <SourceField value={source} onChange={(value) => { setSource(value); setChanging(false); }} known={known} error={says.source} isNew={source.trim() !== '' && !match} />
          {hasTerms ? <Known source={match} onChange={mayChange ? () => { setTerms({ ...match, personal: match.personal }); setChanging(true); } : undefined} />
            : <TermsFields terms={terms} onChange={setTerms} wrong={says} />}
          {isChanging && <p className={styles.warn}>These terms then hold for all that {source} ever said. <Button quiet onPress={() => setChanging(false)}>Leave them as they are</Button></p>}
        </div>
      </Section>
      <div className={styles.go}>
        <Button main type="submit"><UploadIcon size={14} aria-hidden /> Import</Button>
        {isTried && Object.keys(wrong).length > 0 && <p role="alert">{Object.keys(wrong).length === 1 ? 'One thing is' : `${Object.keys(wrong).length} things are`} missing above.</p>}
        <Cli files={files} format={format} source={source} terms={hasTerms ? null : terms} />
      </div>
    </form>
  );
}

function SourceField({ value, onChange, known, error, isNew }: { value: string; onChange: (value: string) => void; known: Source[]; error?: string; isNew: boolean }) {
  const list = useId();
  return (
    <Field label="Source" error={error} hint={isNew ? 'New: it is declared by this import, with the terms below.' : 'A new one, or one that is here: it then replaces what it said before of the same things.'}>
      {(control) => (
        <>
          <input {...control} value={value} list={list} maxLength={128} autoComplete="off" spellCheck={false} placeholder="abuse-feed" onChange={(event) => onChange(event.target.value)} />
          <datalist id={list}>{known.map(({ name }) => <option key={name} value={name} />)}</datalist>
        </>
      )}
    </Field>
  );
}

/** The terms that a source has already. */
function Known({ source: { classification, licence, purposes, retention, personal }, onChange }: { source: Source; onChange?: () => void }) {
  return (
    <div className={styles.known}>
      <p><Classification of={classification} /> {licence}, for {purposes.join(', ')}; kept {retention}{personal && ', personal data'}. <span>The terms that it has.</span></p>
      {onChange && <Button onPress={onChange}>Change them</Button>}
    </div>
  );
}

/** The same as a command. */
function Cli({ files, format, source, terms }: { files: File[]; format: Format | null; source: string; terms: Terms | null }) {
  if (files.length === 0 || !format || !source.trim()) return null;
  const quoted = (text: string) => (/^[\w.@%+:,/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const parts = ['intelgraph import', ...files.map(({ name }) => quoted(name)), '--format', format, '--source', quoted(source.trim())];
  if (terms) parts.push(...terms.purposes.flatMap((purpose) => ['--purpose', quoted(purpose)]), ...(terms.licence ? ['--licence', terms.licence] : []), '--classification', terms.classification, '--retention', terms.retention, ...(terms.personal ? ['--personal'] : []));
  const command = parts.join(' ');
  return <p className={styles.cli}><code>{command}</code><CopyButton text={command} what="command" /></p>;
}
