import { useState } from 'react';

import { Drop } from '../shell/drop.tsx';
import { Field } from '../shell/field.tsx';
import styles from './file-check.module.css';
import { type Checked, check } from './receipt.ts';
import { Verdict } from './verification.tsx';

/** A receipt is a page or two; what is larger is none. */
const FILE_BYTES_MAX = 8_000_000;

/** Checks a receipt from a file against a key: by default this ledger's, if whoever looks may have that. */
export function FileCheck({ vkey }: { vkey?: string }) {
  const [key, setKey] = useState<string | null>(null);
  const [file, setFile] = useState<{ name: string; text: string } | null>(null);
  const [checked, setChecked] = useState<Checked | null>(null);
  const [says, setSays] = useState('');
  const by = key ?? vkey ?? '';
  const look = async (text: string, by: string) => {
    setChecked(null);
    setSays('');
    try {
      if (by) setChecked(await check(text, by));
      else setSays('Give the key as well: whoever sent the receipt can tell it, but you should have it from somebody you trust.');
    } catch {
      setSays('That is no receipt. It begins with the line c2sp.org/tlog-proof@v1.');
    }
  };
  const take = async (found: File) => {
    if (found.size > FILE_BYTES_MAX) return setSays('That is no receipt: it is larger than 8 MB.');
    const text = await found.text();
    setFile({ name: found.name, text });
    await look(text, by);
  };
  return (
    <div className={styles.check}>
      <Drop label="Receipt" onFile={(file) => void take(file)}>{file ? file.name : <>Drop a <code>.tlog-proof</code> here, or choose it</>}</Drop>
      <Field label="Key" hint={key === null && vkey ? 'This ledger’s own' : undefined}>
        {(control) => <input {...control} value={by} spellCheck={false} autoComplete="off" className={styles.key} placeholder="name+id+key" onChange={(event) => { setKey(event.target.value); if (file) void look(file.text, event.target.value); }} />}
      </Field>
      {says && <p role="alert" className={styles.says}>{says}</p>}
      {checked && <><p className={styles.what}>{checked.header.kind}, record {checked.header.lsn.toLocaleString('en')}, {checked.header.recordedAt.slice(0, 19).replace('T', ' ')} UTC</p><Verdict checked={checked} /></>}
    </div>
  );
}
