import { CLASSIFICATIONS, LICENCES, PURPOSES, RETENTIONS } from '../gateway/terms.ts';
import { Choices, Field } from '../shell/field.tsx';
import { useSession } from '../shell/gate.tsx';
import styles from './import-page.module.css';

export interface Terms {
  purposes: string[];
  licence: string;
  classification: string;
  retention: string;
  personal: boolean;
}

/** What a node takes where nothing is said. */
export const UNSAID: Terms = { purposes: [], licence: '', classification: 'internal', retention: 'standard-365d', personal: false };

/** The terms as an import carries them. */
export function said({ purposes, licence, classification, retention, personal }: Terms): Record<string, string> {
  return { purpose: purposes.join(','), licence, classification, retention, personal: String(personal) };
}

export type Wrong = Partial<Record<'purposes' | 'licence', string>>;

export function wrongOf({ purposes, licence }: Terms): Wrong {
  return {
    ...(purposes.length ? {} : { purposes: 'Every source needs a purpose: what its data may be used for.' }),
    ...(licence ? {} : { licence: 'Every source needs a licence.' }),
  };
}

/** On which terms a source comes in: asked once, for all that it says. */
export function TermsFields({ terms, onChange, wrong }: { terms: Terms; onChange: (terms: Terms) => void; wrong: Wrong }) {
  const session = useSession();
  const change = (to: Partial<Terms>) => onChange({ ...terms, ...to });
  const rank = (id: string) => CLASSIFICATIONS.findIndex((word) => word.id === id);
  const unseen = rank(terms.classification) > rank(session.clearance) ? `You will not see it yourself: your clearance is ${session.clearance}.`
    : terms.purposes.length && !terms.purposes.some((purpose) => session.purposes.includes(purpose)) ? `You will not see it yourself: you come for ${session.purposes.join(', ')}.` : undefined;
  return (
    <div className={styles.terms}>
      <Choices label="What it may be used for" many columns of={PURPOSES.map(({ id, says }) => ({ id, word: id, says }))} value={terms.purposes} onChange={(purposes) => change({ purposes })} error={wrong.purposes} />
      <Choices label="Licence" columns of={LICENCES.map(({ id, says }) => ({ id, word: id, says }))} value={[terms.licence]} onChange={([licence]) => change({ licence })} error={wrong.licence} />
      <div className={styles.row}>
        <Field label="Classification" hint={unseen ?? `${CLASSIFICATIONS[rank(terms.classification)]!.says}. Of what does not carry one itself.`}>
          {(control) => <select {...control} value={terms.classification} onChange={(event) => change({ classification: event.target.value })}>{CLASSIFICATIONS.map(({ id }) => <option key={id}>{id}</option>)}</select>}
        </Field>
        <Field label="Kept" hint={RETENTIONS.find(({ id }) => id === terms.retention)!.says}>
          {(control) => <select {...control} value={terms.retention} onChange={(event) => change({ retention: event.target.value })}>{RETENTIONS.map(({ id }) => <option key={id}>{id}</option>)}</select>}
        </Field>
      </div>
      <label className={styles.personal}>
        <input type="checkbox" checked={terms.personal} onChange={(event) => change({ personal: event.target.checked })} />
        <span>It holds personal data <small>Never seen for training, benchmarks or demos, nor by who is cleared for public data alone</small></span>
      </label>
    </div>
  );
}
