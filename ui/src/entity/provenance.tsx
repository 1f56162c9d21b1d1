import { BadgeCheck, CircleAlert, CircleHelp, Database, FileSignature, ScrollText, ShieldCheck } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';

import { type Checked, check } from '../evidence/receipt.ts';
import { run } from '../gateway/run.ts';
import { Button } from '../shell/button.tsx';
import { useMay } from '../shell/gate.tsx';
import { Failed, Withheld } from '../shell/states.tsx';
import { Time } from '../shell/time.tsx';
import type { Entity } from './page.tsx';
import styles from './provenance.module.css';
import { entityRoute } from './routes.tsx';

type Statement = Entity['statements'][number];

/** Where what is said comes from, source by source: from its terms to the signed root of the ledger. */
export function Provenance({ entity }: { entity: Entity }) {
  const { fact } = entityRoute.useSearch();
  const mayCheck = useMay('ledger.read');
  return (
    <div className={styles.provenance}>
      {entity.statements.map((statement) => (
        <section key={statement.lsn} className={styles.chain} data-is-asked={String(statement.lsn) === fact || undefined}>
          <Link icon={Database} title={statement.source} note="Source">
            {statement.classification}, {statement.licence}, kept {statement.retention}{statement.personal && ', personal data'}. For {statement.purposes.join(', ')}.
          </Link>
          <Link icon={ScrollText} title={<>Observed <Time at={statement.observedAt} /></>} note="Statement">
            {entity.attributes.filter(({ lsn }) => lsn === statement.lsn).length} facts, {statement.status}. Recorded {statement.recordedAt.slice(0, 19).replace('T', ' ')} UTC.
          </Link>
          <Link icon={FileSignature} title={`Record ${statement.lsn.toLocaleString('en')}`} note="Ledger">
            {mayCheck ? <Receipt statement={statement} entity={entity} /> : <>The receipt is <Withheld /></>}
          </Link>
        </section>
      ))}
    </div>
  );
}

function Link({ icon: Icon, title, note, children }: { icon: typeof Database; title: ReactNode; note: string; children: ReactNode }) {
  return (
    <div className={styles.link}>
      <Icon size={18} strokeWidth={1.75} aria-hidden />
      <div>
        <p className={styles.note}>{note}</p>
        <h3>{title}</h3>
        <div className={styles.words}>{children}</div>
      </div>
    </div>
  );
}

/** A statement's receipt, checked here and not on the node. */
function Receipt({ statement, entity }: { statement: Statement; entity: Entity }) {
  const { fact } = entityRoute.useSearch();
  const [checked, setChecked] = useState<(Checked & { text: string }) | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const verify = async () => {
    setBusy(true);
    setError(null);
    try {
      const { data } = await run('ledgerReceipt:v1', { lsn: statement.lsn });
      setChecked({ ...(await check(data.ledgerReceipt.text, data.ledgerReceipt.vkey)), text: data.ledgerReceipt.text });
    } catch (error) {
      setError(error as Error);
    } finally {
      setBusy(false);
    }
  };
  // Whoever followed the receipt of a fact wants to see it checked.
  useEffect(() => {
    if (fact === String(statement.lsn)) void verify();
  }, []);
  if (error) return <Failed error={error} onRetry={() => void verify()} />;
  if (!checked) return <Button main onPress={() => void verify()} isDisabled={busy}><ShieldCheck size={14} aria-hidden /> Verify in this browser</Button>;
  const found = holds(checked.body, entity, statement.lsn);
  return (
    <div className={styles.receipt} data-holds={checked.holds}>
      <p role="status" className={styles.verdict}>
        {checked.holds ? <BadgeCheck size={18} aria-hidden /> : <CircleAlert size={18} aria-hidden />}
        {checked.holds ? 'Verified in this browser' : checked.steps.some((step) => step.holds === false) ? 'This receipt does not hold' : 'Not all of it can be checked in this browser'}
      </p>
      <ol>
        {found && <Line name="Facts" holds={found.there === found.of} detail={`${found.there} of ${found.of} texts on this page stand in the record word for word`} />}
        {checked.steps.map((step) => <Line key={step.name} {...step} />)}
      </ol>
      <Button onPress={() => save(checked.text, `record-${statement.lsn}.tlog-proof`)}>Save the receipt</Button>
    </div>
  );
}

function Line({ name, detail, holds }: { name: string; detail: string; holds: boolean | null }) {
  const Icon = holds === null ? CircleHelp : holds ? BadgeCheck : CircleAlert;
  return <li data-holds={String(holds)}><Icon size={14} aria-label={holds === null ? 'cannot tell' : holds ? 'holds' : 'does not hold'} /><b>{name}</b><span>{detail}</span></li>;
}

/** How many of the texts that the page shows from a record are in its bytes. */
function holds(body: Uint8Array | null, entity: Entity, lsn: number) {
  if (!body) return null;
  const record = new TextDecoder().decode(body);
  const texts = entity.attributes.filter((one) => one.lsn === lsn && typeof one.value === 'string');
  return { of: texts.length, there: texts.filter(({ value }) => record.includes(JSON.stringify(value)) || record.includes(value as string)).length };
}

function save(text: string, name: string) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
