import { Link } from '@tanstack/react-router';
import { Fragment, memo } from 'react';

import type { Data } from '../gateway/run.ts';
import { KindIcon, RelationIcon } from '../kinds/icon.tsx';
import { wordsOf } from '../kinds/shapes.ts';
import { Time } from '../shell/time.tsx';
import styles from './hit.module.css';
import { Marked } from './marks.tsx';

type ByWords = Data<'search:v4'>['search']['edges'][number]['node'];
type ByMeaning = Data<'searchHybrid:v1'>['searchHybrid']['edges'][number]['node'];

/** What was found by words, or by meaning as well. */
export type Found = ByWords & Partial<Pick<ByMeaning, 'vectorRaw' | 'vector' | 'weight' | 'keywordRank' | 'vectorRank'>>;

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

const PLACES: Record<string, string> = { title: 'In the name', body: 'In the text', id: 'As the id' };

/** Whether it is a word's stem, which may end otherwise: `memori` is that of `memory`. */
const isStem = (stem: string, word: string) => word.startsWith(stem.slice(0, Math.max(3, stem.length - 2)));

const Bar = ({ of }: { of: number }) => <span className={styles.bar}><span style={{ width: `${Math.min(1, of) * 100}%` }} /></span>;

/** Where one side alone has a hit. */
const rank = (at: number | null | undefined, side: string) => (at ? `, number ${at} by ${side} alone` : `, not among the first by ${side} alone`);

/** What the score is made of: what each word adds where it is. */
function Why({ hit }: { hit: Found }) {
  const isByMeaning = typeof hit.vector === 'number';
  if (hit.keywordRaw === 0 && !isByMeaning) return <p className={styles.why}>No words were asked for, or the newest come first: nothing is scored.</p>;
  const most = hit.why?.shares[0]?.score || 1;
  return (
    <dl className={styles.why}>
      <dt>Score</dt>
      {isByMeaning && <dd><Bar of={hit.score} />{hit.score.toFixed(2)} = {(hit.weight ?? 1).toFixed(2)} × {hit.keyword.toFixed(2)} by words + {(1 - (hit.weight ?? 1)).toFixed(2)} × {(hit.vector ?? 0).toFixed(2)} by meaning</dd>}
      {isByMeaning && <dt>Meaning</dt>}
      {isByMeaning && <dd><Bar of={hit.vector ?? 0} />{hit.vector?.toFixed(2)} of the best, cosine {hit.vectorRaw?.toFixed(2)}{rank(hit.vectorRank, 'meaning')}</dd>}
      {isByMeaning && <dt>Words</dt>}
      <dd><Bar of={hit.keyword} />{hit.keywordRaw === 0 ? 'None of them is there' : <>{hit.keyword.toFixed(2)} of the best, BM25 {hit.keywordRaw.toFixed(2)}{isByMeaning && rank(hit.keywordRank, 'words')}</>}</dd>
      {hit.why?.shares.map(({ word, found, place, score }, index) => (
        <Fragment key={index}>
          <dt>{PLACES[place] ?? place}</dt>
          <dd><Bar of={score / most} />{score.toFixed(2)} for {word === null || isStem(found, word) ? <b>{word ?? found}</b> : <><b>{found}…</b> in place of {word}</>}</dd>
        </Fragment>
      ))}
      {hit.why && hit.why.factor < 1 && <><dt>Together</dt><dd>times {hit.why.factor.toFixed(2)}: not all of the words are there</dd></>}
    </dl>
  );
}
