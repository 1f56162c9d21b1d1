import { Link, useNavigate } from '@tanstack/react-router';
import { ArrowRight, Download, FileCheck2 } from 'lucide-react';
import { type FormEvent, useRef, useState } from 'react';

import type { Data } from '../gateway/run.ts';
import { useOperation } from '../gateway/use.ts';
import { count } from '../shell/amount.ts';
import { Button } from '../shell/button.tsx';
import { CopyButton } from '../shell/copy.tsx';
import { useMay } from '../shell/gate.tsx';
import { useKeys } from '../shell/keys.ts';
import { Page, Pairs, Section } from '../shell/page.tsx';
import { save } from '../shell/save.ts';
import { Loaded } from '../shell/states.tsx';
import { Commands } from './commands.tsx';
import styles from './page.module.css';
import { FileCheck } from './file-check.tsx';
import { Holds } from './holds.tsx';
import { evidenceRoute } from './routes.tsx';

export function EvidencePage() {
  const mayExport = useMay('ledger.export');
  const mayRead = useMay('ledger.read');
  const mayHold = useMay('hold.manage');
  const asked = useOperation('ledgerCheckpoint:v1', {}, { enabled: mayExport });
  const head = asked.data?.data.ledgerCheckpoint;
  return (
    <Page title="Evidence" lead="Everything recorded stands in a ledger that others can check without trusting this node: a tree of hashes whose root it signs.">
      <div className={styles.columns}>
        {mayRead && <Find size={head?.size} />}
        <Section title="Check a receipt that you were given" note="Here, in this browser"><FileCheck vkey={head?.vkey} /></Section>
      </div>
      {mayExport && (
        <Section title="The ledger’s head">
          <Loaded asked={asked}>{({ ledgerCheckpoint }) => <Head of={ledgerCheckpoint} />}</Loaded>
        </Section>
      )}
      {mayHold && <Holds />}
      {head && (
        <Section title="Check all of it elsewhere" note="With the key, which you hand on yourself">
          <Commands of={[
            ['Take the whole ledger out: hashes and headers, nothing to read', 'intelgraph ledger export --out ledger'],
            ['Check it with this program; no node is needed', `intelgraph ledger verify ledger --key '${head.vkey}'`],
            ['The layout is C2SP tlog-tiles, so any reader of that checks it as well', `cat ledger/checkpoint`],
          ]} />
        </Section>
      )}
    </Page>
  );
}

function Head({ of: { origin, size, root, vkey, note } }: { of: Data<'ledgerCheckpoint:v1'>['ledgerCheckpoint'] }) {
  return (
    <>
      <Pairs of={[
        ['Records', <b key="size" className={styles.size}>{count(size)}</b>],
        ['Root', <span key="root" className={styles.hash}><code>{root}</code><CopyButton text={root} what="root" /></span>],
        ['Key to check it with', <span key="key" className={styles.hash}><code>{vkey}</code><CopyButton text={vkey} what="key" /></span>],
        ['Origin', <code key="origin">{origin}</code>],
      ]} />
      <p className={styles.foot}>
        <Button onPress={() => save(note, 'checkpoint')}><Download size={14} aria-hidden /> Save the checkpoint</Button>
        <span>A signed note. Whoever keeps it can tell later that nothing before record {count(size)} was changed.</span>
      </p>
    </>
  );
}

/** Leads from the number of a record to its receipt. */
function Find({ size }: { size?: number }) {
  const { tenant } = evidenceRoute.useParams();
  const navigate = useNavigate();
  const field = useRef<HTMLInputElement>(null);
  const [says, setSays] = useState('');
  useKeys('Evidence', [{ key: 'f', does: 'Find a receipt', run: () => field.current?.focus() }]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const lsn = Number(field.current?.value.replace(/[\s,]/g, ''));
    const isOne = Number.isSafeInteger(lsn) && lsn >= 1 && (size === undefined || lsn <= size);
    setSays(isOne ? '' : `A number from 1${size === undefined ? '' : ` to ${count(size)}`}`);
    if (isOne) void navigate({ to: '/t/$tenant/evidence/receipts/$lsn', params: { tenant, lsn: String(lsn) } });
  };
  return (
    <Section title="Receipt of a record" note="By its number">
      <form onSubmit={submit} className={styles.find}>
        <label htmlFor="lsn">Record</label>
        <div>
          <input id="lsn" ref={field} inputMode="numeric" autoComplete="off" placeholder="100" aria-describedby="lsn-says" aria-invalid={says ? true : undefined} />
          <Button main type="submit"><FileCheck2 size={14} aria-hidden /> Check its receipt</Button>
        </div>
        <p id="lsn-says" role="status" data-is={says ? 'wrong' : undefined}>{says || 'Numbers of records stand beside each fact of an entity, and in every answer that wrote something.'}</p>
        {size !== undefined && <p><Link to="/t/$tenant/evidence/receipts/$lsn" params={{ tenant, lsn: String(size) }}>The newest record <ArrowRight size={12} aria-hidden /></Link></p>}
      </form>
    </Section>
  );
}
