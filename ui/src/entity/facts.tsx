import { Link } from '@tanstack/react-router';
import { ReceiptText } from 'lucide-react';
import { useMemo, useState } from 'react';

import { Empty } from '../shell/states.tsx';
import table from '../shell/table.module.css';
import { Time } from '../shell/time.tsx';
import styles from './facts.module.css';
import { inOrder } from './order.ts';
import type { Entity } from './page.tsx';
import { Value } from './value.tsx';

type Attribute = Entity['attributes'][number];

/** Facts from which on a field finds some among them. */
const FIND_FROM = 12;

/** What each source says: a row for each value, the one that is shown elsewhere first. */
export function Facts({ entity, tenant }: { entity: Entity; tenant: string }) {
  const [find, setFind] = useState('');
  const groups = useMemo(() => grouped(entity.attributes), [entity]);
  const shown = groups.filter(([name, values]) => `${name} ${JSON.stringify(values.map(({ value }) => value))}`.toLowerCase().includes(find.toLowerCase()));
  if (groups.length === 0) return <Empty title="No fact">No source states a property of it that you may see.</Empty>;
  return (
    <div>
      {groups.length >= FIND_FROM && (
        <p className={styles.find}>
          <input type="search" placeholder="Find among the facts" aria-label="Find among the facts" value={find} onChange={(event) => setFind(event.target.value)} />
          {find && <span role="status">{shown.length} of {groups.length}</span>}
        </p>
      )}
      <table className={`${table.table} ${styles.facts}`}>
        <thead><tr><th>Fact</th><th>Value</th><th>Source</th><th>Observed</th><th>Receipt</th></tr></thead>
        <tbody>
          {shown.flatMap(([name, values]) => values.map((fact, index) => (
            <tr key={`${name}-${index}`} data-other={index > 0 || undefined}>
              {index === 0 ? <th scope="rowgroup" rowSpan={values.length}>{name}{values.length > 1 && <span className={styles.differ}>{values.length} values</span>}</th> : null}
              <td><Value of={fact.value} /></td>
              <td className={table.nowrap} data-name="said by">{fact.source}</td>
              <td className={table.nowrap} data-name="observed"><Time at={fact.observedAt} /></td>
              <td className={table.nowrap} data-name="receipt">
                <Link to="/t/$tenant/e/$id" params={{ tenant, id: entity.id }} search={{ tab: 'provenance', fact: String(fact.lsn) }} aria-label={`Receipt: record ${fact.lsn.toLocaleString('en')}`} className={styles.receipt}>
                  <ReceiptText size={14} aria-hidden /> {fact.lsn.toLocaleString('en')}
                </Link>
              </td>
            </tr>
          )))}
        </tbody>
      </table>
    </div>
  );
}

function grouped(attributes: Attribute[]): [string, Attribute[]][] {
  const groups = new Map<string, Attribute[]>();
  for (const attribute of inOrder(attributes)) groups.set(attribute.name, [...(groups.get(attribute.name) ?? []), attribute]);
  return [...groups];
}
