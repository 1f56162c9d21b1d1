import { Link, useNavigate } from '@tanstack/react-router';
import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useEffect, useState } from 'react';

import { count } from '../shell/amount.ts';
import { IconButton } from '../shell/button.tsx';
import { CopyButton } from '../shell/copy.tsx';
import { useMay } from '../shell/gate.tsx';
import { useKeys } from '../shell/keys.ts';
import { Page, Pairs, Section } from '../shell/page.tsx';
import { NotHere } from '../shell/states.tsx';
import { Commands } from './commands.tsx';
import styles from './receipt-page.module.css';
import { receiptRoute } from './routes.tsx';
import { textsIn } from './texts.ts';
import { Verification, type Verified } from './verification.tsx';

/** So much of a record is shown, in characters. */
const SHOWN_CHARS_MAX = 4_000;

/** The receipt of one record, checked as soon as it is opened. */
export function ReceiptPage() {
  const { tenant, lsn } = receiptRoute.useParams();
  const mayRead = useMay('ledger.read');
  const navigate = useNavigate();
  const number = /^[1-9]\d{0,15}$/.test(lsn) ? Number(lsn) : null;
  const go = (to: number) => to >= 1 && void navigate({ to: '/t/$tenant/evidence/receipts/$lsn', params: { tenant, lsn: String(to) } });
  useEffect(() => {
    document.title = `Record ${lsn} · IntelGraph`;
  }, [lsn]);
  useKeys('Receipt', number === null ? [] : [
    { key: ']', does: 'Next record', run: () => go(number + 1) },
    { key: '[', does: 'Record before', run: () => go(number - 1) },
  ]);
  if (number === null || !mayRead) return <NotHere />;
  return (
    <Page
      title={`Record ${count(number)}`}
      lead={<Link to="/t/$tenant/evidence" params={{ tenant }}>Evidence</Link>}
      actions={(
        <>
          <IconButton label="Record before ([)" onPress={() => go(number - 1)} isDisabled={number === 1}><ChevronLeft size={18} /></IconButton>
          <IconButton label="Next record (])" onPress={() => go(number + 1)}><ChevronRight size={18} /></IconButton>
        </>
      )}
    >
      <Receipt key={number} lsn={number} />
    </Page>
  );
}

function Receipt({ lsn }: { lsn: number }) {
  const [verified, setVerified] = useState<Verified | null>(null);
  const file = `record-${lsn}.tlog-proof`;
  return (
    <>
      <Section title="Receipt" note="From the record up the tree to the root that the node signed">
        <div className={styles.check}><Verification lsn={lsn} atOnce onChecked={setVerified} /></div>
      </Section>
      {verified && (
        <>
          <Section title="What the record is">
            <Pairs of={[
              ['Kind', verified.header.kind],
              ['Recorded', `${verified.header.recordedAt.slice(0, 23).replace('T', ' ')} UTC`],
              ['What it says', verified.body ? <pre key="says" tabIndex={0} aria-label="What it says" className={styles.says}>{shown(verified.body)}</pre> : 'Only its digest: the body was erased, or is not for you to read. The proof holds without it.'],
            ]} />
          </Section>
          <Section title="Check it elsewhere" note="Save the receipt first">
            <Commands of={[
              ['With this program; no node is needed', `intelgraph ledger verify ${file} --key '${verified.vkey}'`],
              ['With nothing of ours: a page of Python, and openssl for the signature', `python3 tests/judges/receipt.py ${file} '${verified.vkey}'`],
              ['Where a node answers: make the receipt anew, and print the key', `intelgraph ledger proof --lsn ${lsn} --out ${file}`],
            ]} />
            <p className={styles.key}>Key: <code>{verified.vkey}</code> <CopyButton text={verified.vkey} what="key" /></p>
          </Section>
        </>
      )}
    </>
  );
}

/** The texts in a body, one a line, cut where there are too many. */
function shown(body: Uint8Array): string {
  const all = textsIn(body).join('\n');
  return all.length > SHOWN_CHARS_MAX ? `${all.slice(0, SHOWN_CHARS_MAX)}…\n(${count(SHOWN_CHARS_MAX)} of ${count(all.length)} characters shown; the receipt has them all)` : all;
}
