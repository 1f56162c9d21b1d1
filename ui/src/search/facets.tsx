import { Ban } from 'lucide-react';
import { useState } from 'react';

import { KindIcon } from '../kinds/icon.tsx';
import { wordsOf } from '../kinds/shapes.ts';
import { Button } from '../shell/button.tsx';
import { Chart, type Span } from './chart.tsx';
import styles from './facets.module.css';
import type { Asked, Params } from './question.ts';

interface Count {
  field: string;
  value: string;
  count: number;
}

interface Props {
  facets: Count[];
  spans: Span[];
  params: Params;
  asked: Asked;
  onChange: (to: Partial<Params>) => void;
}

/** Values of a facet that are shown at once; the rest is found or unfolded. */
const SHOWN = 10;

/** What the hits are, counted; each value is a filter. Counts are of what this reader may see. */
export function Facets({ facets, spans, params, asked, onChange }: Props) {
  const of = (field: string) => facets.filter((facet) => facet.field === field);
  const without = (list: string[] = [], value: string) => list.filter((one) => one !== value);
  const toggled = (list: string[] = [], value: string) => (list.includes(value) ? list.filter((one) => one !== value) : [...list, value]);
  return (
    <div className={styles.facets}>
      <Facet title="Type" counts={of('type')} chosen={asked.variables.types ?? []} isType isRelation={params.form === 'relation'} onToggle={(value) => onChange({ type: toggled(params.type, value), notType: without(params.notType, value), hit: undefined })}
        left={asked.variables.notTypes ?? []} onLeave={(value) => onChange({ notType: toggled(params.notType, value), type: without(params.type, value), hit: undefined })} />
      <Facet title="Source" counts={of('source')} chosen={asked.variables.sources ?? []} onToggle={(value) => onChange({ source: toggled(params.source, value), notSource: without(params.notSource, value), hit: undefined })}
        left={asked.variables.notSources ?? []} onLeave={(value) => onChange({ notSource: toggled(params.notSource, value), source: without(params.source, value), hit: undefined })} />
      <Facet title="Classification" counts={of('classification')} chosen={asked.variables.classifications ?? []} onToggle={(value) => onChange({ class: toggled(params.class, value), hit: undefined })} />
      <fieldset className={styles.dates}>
        <legend>Observed</legend>
        <Chart spans={spans} onPick={(from, to) => onChange({ from, to, hit: undefined })} />
        <label>from <input type="date" value={params.from?.slice(0, 10) ?? ''} onChange={(event) => onChange({ from: event.target.value || undefined })} /></label>
        <label>to <input type="date" value={params.to?.slice(0, 10) ?? ''} onChange={(event) => onChange({ to: event.target.value || undefined })} /></label>
      </fieldset>
      <label className={styles.revoked}>
        <input type="checkbox" checked={params.revoked ?? false} onChange={(event) => onChange({ revoked: event.target.checked || undefined })} />
        With what was revoked or deprecated
      </label>
    </div>
  );
}

function Facet({ title, counts, chosen, left = [], isType = false, isRelation = false, onToggle, onLeave }: {
  title: string; counts: Count[]; chosen: string[]; isType?: boolean; isRelation?: boolean; onToggle: (value: string) => void;
  /** Values that are left out, and what leaves one out. */
  left?: string[]; onLeave?: (value: string) => void;
}) {
  const [all, setAll] = useState(false);
  const [find, setFind] = useState('');
  const gone = [...chosen, ...left].filter((value) => !counts.some((count) => count.value === value)).map((value) => ({ field: '', value, count: 0 }));
  const found = [...counts, ...gone].filter(({ value }) => wordsOf(value).includes(find.toLowerCase()));
  const shown = all || find ? found : found.filter(({ value }, index) => index < SHOWN || chosen.includes(value) || left.includes(value));
  if (counts.length === 0 && gone.length === 0) return null;
  return (
    <fieldset className={styles.facet}>
      <legend>{title}</legend>
      {counts.length > SHOWN && <input type="search" placeholder={`Find in ${counts.length}`} aria-label={`Find a ${title.toLowerCase()}`} value={find} onChange={(event) => setFind(event.target.value)} />}
      <ul>
        {shown.map(({ value, count }) => (
          <li key={value} data-left={left.includes(value) || undefined}>
            <label>
              <input type="checkbox" checked={chosen.includes(value)} onChange={() => onToggle(value)} />
              {isType && !isRelation && <KindIcon type={value} size={16} />}
              <span className={styles.value} title={value}>{isType ? wordsOf(value) : value}</span>
              <span className={styles.count}>{count.toLocaleString('en')}</span>
            </label>
            {onLeave && <button type="button" className={styles.leave} aria-pressed={left.includes(value)} aria-label={`Leave out ${value}`} title="Leave out" onClick={() => onLeave(value)}><Ban size={14} aria-hidden /></button>}
          </li>
        ))}
      </ul>
      {found.length > SHOWN && !find && <Button quiet onPress={() => setAll(!all)}>{all ? 'Fewer' : `${found.length - SHOWN} more`}</Button>}
    </fieldset>
  );
}
