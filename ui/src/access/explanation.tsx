import { Ban, CircleSlash, ShieldCheck } from 'lucide-react';

import type { Data } from '../gateway/run.ts';
import { CedarText } from './cedar.tsx';
import styles from './explanation.module.css';
import { versionName } from './policy-page.tsx';

export type Explained = Data<'policyExplain:v2'>['policyExplain'][number];
type Reason = Explained['reasons'][number];

/** Why a decision fell as it did: something permits it, something forbids it, or nothing permits it. These are never merged. */
export function Explanation({ of }: { of: Explained }) {
  const outcome = of.allowed ? 'allowed' : of.reasons.some(({ effect, applied }) => effect === 'forbid' && applied) ? 'forbidden' : 'nothing';
  const Sign = { allowed: ShieldCheck, forbidden: Ban, nothing: CircleSlash }[outcome];
  const deciding = of.reasons.filter(({ applied }) => applied);
  const title = {
    allowed: <>Allowed by {names(deciding)}, and nothing forbids it</>,
    forbidden: <>Forbidden by {names(deciding.filter(({ effect }) => effect === 'forbid'))}</>,
    nothing: of.reasons.length ? <>Nothing permits it here; {names(of.reasons)} would, to others</> : <>Nothing permits it to anybody</>,
  }[outcome];
  return (
    <article className={styles.explanation} data-is={outcome}>
      <header><Sign size={18} aria-hidden /><h3>{title}</h3></header>
      <dl>
        <div><dt>Who</dt><dd>{of.principal}</dd></div>
        <div><dt>What</dt><dd><code>{of.action}</code></dd></div>
        <div><dt>On</dt><dd>{of.label}{of.labelId !== null && <> (label {of.labelId})</>}</dd></div>
        <div><dt>By</dt><dd>{versionName(of.version)}</dd></div>
        {of.requests.length > 0 && <div><dt>In</dt><dd>{of.requests.map((request) => <code key={request} className={styles.request}>{request}</code>)}</dd></div>}
      </dl>
      {of.reasons.map((reason) => <Clause key={reason.policy} reason={reason} />)}
    </article>
  );
}

function names(reasons: Reason[]) {
  return <>{reasons.map(({ policy }, index) => <span key={policy}>{index > 0 && ' and '}<code>{policy}</code></span>)}</>;
}

/** A policy that had a say, and what it found of what it asks for. */
function Clause({ reason: { policy, effect, applied, line, text, found } }: { reason: Reason }) {
  return (
    <section className={styles.clause} data-applied={applied}>
      <h4><code>{policy}</code> <span>{effect === 'permit' ? (applied ? 'permits it' : 'permits it to others') : 'forbids it'}; line {line}</span></h4>
      <div>
        <CedarText text={text} />
        {found.length > 0 && <table><thead><tr><th>It asks for</th><th>It found</th></tr></thead><tbody>{found.map(({ name, value }) => <tr key={name}><td><code>{name}</code></td><td>{value}</td></tr>)}</tbody></table>}
      </div>
    </section>
  );
}
