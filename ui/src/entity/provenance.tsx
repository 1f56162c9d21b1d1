import { Database, FileSignature, ScrollText } from 'lucide-react';
import type { ReactNode } from 'react';

import type { Step } from '../evidence/receipt.ts';
import { Verification } from '../evidence/verification.tsx';
import { useMay } from '../shell/gate.tsx';
import { Empty, Withheld } from '../shell/states.tsx';
import { Time } from '../shell/time.tsx';
import type { Entity } from './page.tsx';
import styles from './provenance.module.css';
import { entityRoute } from './routes.tsx';

type Statement = Entity['statements'][number];

/** Where what is said comes from, source by source: from its terms to the signed root of the ledger. */
export function Provenance({ entity }: { entity: Entity }) {
  const { fact } = entityRoute.useSearch();
  const mayCheck = useMay('ledger.read');
  if (entity.statements.length === 0) return <Empty title="No statement">No source says anything of it that you may see.</Empty>;
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

/** A statement's receipt; whoever followed the receipt of a fact wants to see it checked. */
function Receipt({ statement, entity }: { statement: Statement; entity: Entity }) {
  const { fact } = entityRoute.useSearch();
  return <Verification lsn={statement.lsn} atOnce={fact === String(statement.lsn)} also={(body) => facts(body, entity, statement.lsn)} />;
}

/** Whether the texts that the page shows from a record are in its bytes. */
function facts(body: Uint8Array | null, entity: Entity, lsn: number): Step | null {
  if (!body) return null;
  const record = new TextDecoder().decode(body);
  const texts = entity.attributes.filter((one) => one.lsn === lsn && typeof one.value === 'string');
  const there = texts.filter(({ value }) => record.includes(JSON.stringify(value)) || record.includes(value as string)).length;
  return { name: 'Facts', detail: `${there} of ${texts.length} texts on this page stand in the record word for word`, holds: there === texts.length };
}
