import { Download, RotateCcw } from 'lucide-react';

import { bytes, count, counted } from '../shell/amount.ts';
import { Button } from '../shell/button.tsx';
import { save } from '../shell/save.ts';
import { Failed, Loading, Partial } from '../shell/states.tsx';
import table from '../shell/table.module.css';
import { type Preview as Seen, type usePreview } from './ask-preview.ts';
import { Columns } from './columns.tsx';
import styles from './preview.module.css';

interface Props {
  asked: ReturnType<typeof usePreview>;
  /** What the columns are, if that was changed here. */
  mapping: string | null;
  onMapping: (mapping: string | null) => void;
}

/** What becomes of the first rows of a file, before anything is written. */
export function Preview({ asked, mapping, onMapping }: Props) {
  if (asked.error) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />;
  if (asked.data === undefined) return <Loading rows={4} what="the preview" />;
  if (asked.data === null) return <p className={styles.none}>This node gives no preview. What it cannot take is refused line by line, and listed.</p>;
  return <Shown seen={asked.data} mapping={mapping} onMapping={onMapping} isOld={asked.isPlaceholderData} />;
}

function Shown({ seen, mapping, onMapping, isOld }: { seen: Seen; mapping: string | null; onMapping: Props['onMapping']; isOld: boolean }) {
  const text = mapping ?? seen.mapping;
  return (
    <div className={styles.preview} aria-busy={isOld}>
      {!seen.whole && <Partial shown={seen.rows.length} what="first rows">Looked at: the first {bytes(seen.bytes)} of the file.</Partial>}
      {seen.error && <p role="alert" className={styles.error}>The file cannot be read to its end: {seen.error}</p>}
      <p className={styles.counts} role="status">
        <span><b>{count(seen.things)}</b> {seen.things === 1 ? 'thing' : 'things'}</span>
        <span data-bad={seen.rejected > 0 || undefined}><b>{count(seen.rejected)}</b> would be refused</span>
        {seen.dialect && Object.entries(seen.dialect).filter(([, value]) => value !== null && value !== false).map(([name, value]) => <span key={name}>{name.replaceAll('_', ' ')} {value === true ? '' : <code>{value === '\t' ? 'tab' : String(value)}</code>}</span>)}
      </p>
      {seen.notes?.map((note) => <p key={note} className={styles.note}>{note}</p>)}
      {seen.columns && text !== undefined && (
        <>
          <Columns columns={seen.columns} rows={seen.sampled_rows ?? 0} mapping={text} onChange={onMapping} />
          <details className={styles.mapping}>
            <summary>The mapping as a text, to be kept and used again</summary>
            <textarea aria-label="Mapping" spellCheck={false} rows={12} value={text} onChange={(event) => onMapping(event.target.value)} />
            <p>
              <Button onPress={() => save(text, 'mapping.toml')}><Download size={14} aria-hidden /> Save the mapping</Button>
              {mapping !== null && <Button quiet onPress={() => onMapping(null)}><RotateCcw size={14} aria-hidden /> As the node found it</Button>}
              <span>On the command line: <code>--mapping mapping.toml</code></span>
            </p>
          </details>
        </>
      )}
      {seen.rejects.length > 0 && (
        <section>
          <h3>Would be refused</h3>
          <table className={table.table}>
            <thead><tr><th>Line</th><th>Reason</th><th>Value</th></tr></thead>
            <tbody>{seen.rejects.map(({ line, column, reason, value }, index) => <tr key={index}><td className={table.nowrap} data-name="line">{line}{column && `, ${column}`}</td><td>{reason}</td><td><code>{value}</code></td></tr>)}</tbody>
          </table>
          {seen.rejects.length < seen.rejected && <Partial shown={seen.rejects.length} total={seen.rejected} what="of those">After the import a file has them all.</Partial>}
        </section>
      )}
      {seen.rows.length > 0 && (
        <section>
          <h3>What becomes of the first {counted(seen.rows.length, 'row')}</h3>
          <ol className={styles.rows}>{seen.rows.map(({ line, becomes }) => <li key={line}><span>{line}</span><div>{becomes.map((thing, index) => <Thing key={index} of={thing} />)}</div></li>)}</ol>
        </section>
      )}
    </div>
  );
}

/** An entity or a relation, as a line of JSONL says it. */
function Thing({ of }: { of: Record<string, unknown> }) {
  if (typeof of.relation === 'string') return <p><code>{String(of.from)}</code> <b>{of.relation}</b> <code>{String(of.to)}</code></p>;
  const attributes = Object.entries((of.attributes ?? {}) as Record<string, unknown>);
  return (
    <p>
      <b>{String(of.type)}</b> <code>{String(of.id)}</code>
      {attributes.map(([name, value]) => <span key={name} className={styles.attribute}>{name} <i>{typeof value === 'string' ? value : JSON.stringify(value)}</i></span>)}
      {(of.labels as string[] | undefined)?.map((label) => <span key={label} className={styles.attribute}>#{label}</span>)}
      {(of.texts as { text: string }[] | undefined)?.map(({ text }) => <span key={text} className={styles.attribute}>text <i>{text}</i></span>)}
    </p>
  );
}
