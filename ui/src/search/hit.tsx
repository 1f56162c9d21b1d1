import { Link } from '@tanstack/react-router';
import { memo } from 'react';

import type { Data } from '../gateway/run.ts';
import { KindIcon, RelationIcon } from '../kinds/icon.tsx';
import { wordsOf } from '../kinds/shapes.ts';
import { Time } from '../shell/time.tsx';
import styles from './hit.module.css';
import { Marked } from './marks.tsx';

export type Found = Data<'search:v3'>['search']['edges'][number]['node'];

interface Props {
  hit: Found;
  tenant: string;
  isSelected: boolean;
  why: boolean;
  onSelect: () => void;
}

/** A hit in three lines: what it is, where the words are, who says so and when. */
export const Hit = memo(function Hit({ hit, tenant, isSelected, why, onSelect }: Props) {
  return (
    <li className={styles.hit} aria-current={isSelected || undefined} onClick={onSelect}>
      {hit.from ? <RelationIcon size={24} /> : <KindIcon type={hit.type} size={24} />}
      <div className={styles.text}>
        <h2>
          <Link to="/t/$tenant/e/$id" params={{ tenant, id: hit.id }} title={hit.title}><Title of={hit} /></Link>
          <span className={styles.type}>{hit.from ? 'relation' : wordsOf(hit.type)}</span>
          {hit.status !== 'active' && <span className={styles.status}>{hit.status}</span>}
        </h2>
        {hit.snippet && <p className={styles.snippet}><Marked text={hit.snippet} highlights={hit.highlights} /></p>}
        <p className={styles.meta}>{hit.source} · <Time at={hit.observedAt} /> · {hit.classification}</p>
        {why && <Why hit={hit} />}
      </div>
    </li>
  );
});

/** A thing's title; of a relation, what it joins and how. */
export function Title({ of: { title, type, from, to } }: { of: { title: string; type: string; from: { title: string } | null; to: { title: string } | null } }) {
  if (!from || !to) return title;
  return <>{from.title} <em className={styles.kind}>{wordsOf(type)}</em> {to.title}</>;
}

/** What the score is made of. */
function Why({ hit }: { hit: Found }) {
  const words = [...new Set(hit.highlights.map(({ start, end }) => new TextDecoder().decode(new TextEncoder().encode(hit.snippet).subarray(start, end)).toLowerCase()))];
  return (
    <dl className={styles.why}>
      <dt>Words</dt>
      <dd><meter min={0} max={1} value={hit.keyword} /> {hit.keyword.toFixed(2)} of the best, BM25 {hit.keywordRaw.toFixed(2)}</dd>
      {words.length > 0 && <><dt>In the text</dt><dd>{words.join(', ')}</dd></>}
    </dl>
  );
}
