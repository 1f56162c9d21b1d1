import { BadgeCheck, CircleAlert, CircleHelp, ShieldCheck } from 'lucide-react';
import { useEffect, useState } from 'react';

import { type GatewayError, run } from '../gateway/run.ts';
import { Button } from '../shell/button.tsx';
import { save } from '../shell/save.ts';
import { Failed, NotHere } from '../shell/states.tsx';
import { type Checked, check, type Step } from './receipt.ts';
import styles from './verification.module.css';

/** A receipt as the node gave it, and what checking it here came to. */
export interface Verified extends Checked {
  text: string;
  vkey: string;
}

/** The receipt of a record, checked here and not on the node. `also` checks what only the page knows. */
export function Verification({ lsn, atOnce = false, also, onChecked }: {
  lsn: number; atOnce?: boolean; also?: (body: Uint8Array | null) => Step | null; onChecked?: (verified: Verified) => void;
}) {
  const [verified, setVerified] = useState<Verified | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const verify = async () => {
    setBusy(true);
    setError(null);
    try {
      const { text, vkey } = (await run('ledgerReceipt:v1', { lsn })).data.ledgerReceipt;
      const found = { ...(await check(text, vkey)), text, vkey };
      setVerified(found);
      onChecked?.(found);
    } catch (error) {
      setError(error as Error);
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    if (atOnce) void verify();
  }, []);
  if ((error as GatewayError | null)?.status === 404) return <NotHere />;
  if (error) return <Failed error={error} onRetry={() => void verify()} />;
  if (!verified) return <Button main onPress={() => void verify()} isDisabled={busy}><ShieldCheck size={14} aria-hidden /> Verify in this browser</Button>;
  return (
    <div className={styles.receipt}>
      <Verdict checked={verified} first={also?.(verified.body)} />
      <Button onPress={() => save(verified.text, `record-${lsn}.tlog-proof`)}>Save the receipt</Button>
    </div>
  );
}

/** What a check came to, step by step. */
export function Verdict({ checked, first }: { checked: Checked; first?: Step | null }) {
  const failed = checked.steps.some((step) => step.holds === false);
  return (
    <div className={styles.checked} data-holds={checked.holds}>
      <p role="status" className={styles.verdict}>
        {checked.holds ? <BadgeCheck size={18} aria-hidden /> : <CircleAlert size={18} aria-hidden />}
        {checked.holds ? 'Verified in this browser' : failed ? 'This receipt does not hold' : 'Not all of it can be checked in this browser'}
      </p>
      <ol>{[...(first ? [first] : []), ...checked.steps].map((step) => <Line key={step.name} {...step} />)}</ol>
    </div>
  );
}

function Line({ name, detail, holds }: Step) {
  const Icon = holds === null ? CircleHelp : holds ? BadgeCheck : CircleAlert;
  return <li data-holds={String(holds)}><Icon size={14} aria-label={holds === null ? 'cannot tell' : holds ? 'holds' : 'does not hold'} /><b>{name}</b><span>{detail}</span></li>;
}
