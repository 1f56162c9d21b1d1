import { count } from '../shell/amount.ts';
import table from '../shell/table.module.css';
import type { Column } from './ask-preview.ts';
import { columnsOf, ROLES, TYPES, typeOf, withRole, withType, withValue } from './mapping.ts';
import styles from './preview.module.css';

/** What each column of a table was found to be, to be put right. */
export function Columns({ columns, rows, mapping, onChange }: { columns: Column[]; rows: number; mapping: string; onChange: (mapping: string) => void }) {
  const declared = columnsOf(mapping);
  const isOfRelations = declared.some(({ role }) => role === 'from' || role === 'to');
  const hasType = declared.some(({ role }) => role === 'type');
  return (
    <section>
      {!hasType && (
        <label className={styles.type}>{isOfRelations ? 'The kind of every relation' : 'The type of every row'}
          <input value={typeOf(mapping)} spellCheck={false} placeholder="host" onChange={(event) => onChange(withType(mapping, event.target.value))} />
        </label>
      )}
      <table className={`${table.table} ${styles.columns}`}>
        <thead><tr><th>Column</th><th>Looks like</th><th>For example</th><th>Becomes</th></tr></thead>
        <tbody>
          {columns.map(({ name, type, empty, distinct, examples, becomes }) => {
            const mine = declared.find((column) => column.name === name);
            return (
              <tr key={name} data-ignored={mine?.role === 'ignore' || undefined}>
                <th scope="row">{name}</th>
                <td data-name="looks like">{type}<div className={table.muted}>{count(distinct)} different{empty > 0 && `, ${count(empty)} of ${count(rows)} empty`}</div></td>
                <td><ul className={styles.examples}>{examples.slice(0, 3).map((example, index) => <li key={index}>{example}</li>)}</ul></td>
                <td>
                  {mine && <Becomes column={mine} mapping={mapping} onChange={onChange} />}
                  {mine?.role !== 'id' && mine?.role !== 'ignore' && <div className={table.muted}>{becomes.replaceAll('`', '')}</div>}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function Becomes({ column: { name, role, type, to }, mapping, onChange }: { column: ReturnType<typeof columnsOf>[number]; mapping: string; onChange: (mapping: string) => void }) {
  const needs = ROLES.find(({ id }) => id === role)?.needs;
  return (
    <span className={styles.becomes}>
      <select aria-label={`${name} becomes`} value={role} onChange={(event) => onChange(withRole(mapping, name, event.target.value))}>
        {ROLES.map(({ id, says }) => <option key={id} value={id}>{says}</option>)}
      </select>
      {needs === 'type' && (
        <select aria-label={`Type of ${name}`} value={type} onChange={(event) => onChange(withValue(mapping, name, 'type', event.target.value))}>
          {[...new Set([...TYPES, type])].map((one) => <option key={one}>{one}</option>)}
        </select>
      )}
      {needs === 'to' && <input aria-label={`Kind of relation of ${name}`} value={to} placeholder={name} spellCheck={false} onChange={(event) => onChange(withValue(mapping, name, 'to', event.target.value))} />}
    </span>
  );
}
