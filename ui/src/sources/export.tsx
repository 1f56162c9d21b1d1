import { Download } from 'lucide-react';
import { useState } from 'react';
import { MenuTrigger } from 'react-aria-components/Menu';

import { failure, json, send } from '../gateway/run.ts';
import { counted } from '../shell/amount.ts';
import { Button } from '../shell/button.tsx';
import { MenuList } from '../shell/menu.tsx';
import { save } from '../shell/save.ts';
import styles from './export.module.css';

const FORMATS = [{ id: 'jsonl', word: 'JSONL', file: 'jsonl' }, { id: 'stix', word: 'STIX 2.1', file: 'json' }, { id: 'csv', word: 'CSV', file: 'csv' }];

/** Saves what a source says as a file, as far as licence and policy let it out; what stays is said. */
export function Export({ source }: { source: string }) {
  const [said, setSaid] = useState<{ text: string; isWrong: boolean } | null>(null);
  const [busy, setBusy] = useState(false);
  const take = async (format: string) => {
    setBusy(true);
    setSaid({ text: 'Being gathered', isWrong: false });
    try {
      const response = await send(`/api/v1/export?${new URLSearchParams({ format, source })}`, {});
      if (!response.ok) throw failure(response, (await json(response)).error);
      const [written, withheld] = ['x-ig-written', 'x-ig-withheld'].map((name) => Number(response.headers.get(name)));
      save(await response.blob(), `${source.replace(/[^\w.-]+/g, '-')}.${FORMATS.find(({ id }) => id === format)!.file}`);
      setSaid({ text: `${counted(written!, 'thing')} saved${withheld ? `; ${counted(withheld, 'thing')} stay here: licence or policy does not let them out` : ''}`, isWrong: false });
    } catch (error) {
      setSaid({ text: (error as Error).message, isWrong: true });
    } finally {
      setBusy(false);
    }
  };
  return (
    <span className={styles.export}>
      <MenuTrigger>
        <Button isDisabled={busy}><Download size={14} aria-hidden /> Export</Button>
        <MenuList items={FORMATS.map(({ id, word }) => ({ id, word }))} onPick={(format) => void take(format)} />
      </MenuTrigger>
      {said && <span role={said.isWrong ? 'alert' : 'status'} data-wrong={said.isWrong || undefined}>{said.text}</span>}
    </span>
  );
}
