import { useNavigate } from '@tanstack/react-router';
import { CircleHelp } from 'lucide-react';
import { useId } from 'react';

import { PURPOSES, READS, WRITES } from '../gateway/terms.ts';
import { useOperation } from '../gateway/use.ts';
import { Pick } from '../search/pick.tsx';
import { Field } from '../shell/field.tsx';
import { useMay } from '../shell/gate.tsx';
import { Section } from '../shell/page.tsx';
import { Empty, Loaded, NotHere } from '../shell/states.tsx';
import styles from './explain-page.module.css';
import { Explanation } from './explanation.tsx';
import { AccessPart } from './parts.tsx';
import { explainRoute } from './routes.tsx';

type Asked = ReturnType<typeof explainRoute.useSearch>;

const TOKENS_MAX = 1_000;

/** Why somebody may do something, or may not: asked of the policy in force. */
export function ExplainPage() {
  const asked = explainRoute.useSearch();
  if (!useMay('policy.manage')) return <NotHere />;
  return (
    <AccessPart at="explain">
      <Section title="Why may somebody do something, or not?" note="By the policy in force"><Question asked={asked} /></Section>
      <Answer asked={asked} />
    </AccessPart>
  );
}

function Question({ asked: { token, action = 'entity.read', on = 'thing', thing, nr, purpose } }: { asked: Asked }) {
  const navigate = useNavigate({ from: explainRoute.fullPath });
  const change = (to: Partial<Asked>) => void navigate({ search: (before) => ({ ...before, ...to }), replace: true });
  const mayList = useMay('token.manage');
  const tokens = useOperation('tokenList:v1', { first: TOKENS_MAX }, { enabled: mayList }).data?.data.tokens.edges.map(({ node }) => node) ?? [];
  const list = useId();
  const isRead = READS.includes(action);
  return (
    <div className={styles.question}>
      <Field label="Who" hint="The id of a token">
        {(control) => (
          <>
            <input {...control} list={list} value={token ?? ''} autoComplete="off" spellCheck={false} placeholder={tokens[0]?.id} onChange={(event) => change({ token: event.target.value.trim() || undefined })} />
            <datalist id={list}>{tokens.filter(({ revokedAt }) => !revokedAt).map(({ id, roles, clearance, purpose }) => <option key={id} value={id}>{`${roles.join(', ')}, ${clearance}, for ${purpose.join(', ')}`}</option>)}</datalist>
          </>
        )}
      </Field>
      <Field label="Does what" hint={isRead ? 'Decided on each label of what is read' : 'Decided on the tenant'}>
        {(control) => (
          <select {...control} value={action} onChange={(event) => change({ action: event.target.value })}>
            <optgroup label="Reads">{READS.map((one) => <option key={one}>{one}</option>)}</optgroup>
            <optgroup label="Does">{WRITES.map((one) => <option key={one}>{one}</option>)}</optgroup>
          </select>
        )}
      </Field>
      <Field label="For" hint="As the request says; else all that the token carries">
        {(control) => <select {...control} value={purpose ?? ''} onChange={(event) => change({ purpose: event.target.value || undefined })}><option value="">all its purposes</option>{PURPOSES.map(({ id }) => <option key={id}>{id}</option>)}</select>}
      </Field>
      {isRead && (
        <div className={styles.on}>
          <fieldset>
            <legend>On what</legend>
            {(['thing', 'label'] as const).map((one) => <label key={one}><input type="radio" name="on" checked={on === one} onChange={() => change({ on: one === 'thing' ? undefined : one })} /> {one === 'thing' ? 'a thing' : 'a label, by its number'}</label>)}
          </fieldset>
          {on === 'thing'
            ? <>{thing && <p>Asked of <code>{thing}</code></p>}<Pick label={thing ? 'Another thing…' : 'Find a thing…'} onPick={(id) => change({ thing: id })} /></>
            : <input aria-label="Number of a label" inputMode="numeric" value={nr ?? ''} placeholder="3" onChange={(event) => change({ nr: /^\d+$/.test(event.target.value) ? event.target.value : undefined })} />}
        </div>
      )}
    </div>
  );
}

function Answer({ asked: { token, action = 'entity.read', on = 'thing', thing, nr, purpose } }: { asked: Asked }) {
  const isRead = READS.includes(action);
  const about = !isRead ? {} : on === 'thing' ? { thing } : { label: nr === undefined ? undefined : Number(nr) };
  const isWhole = token !== undefined && (!isRead || (on === 'thing' ? thing !== undefined : nr !== undefined));
  const found = useOperation('policyExplain:v2', { token, action, purpose, ...about }, { enabled: isWhole });
  if (!isWhole) {
    return (
      <Empty title="Ask above" icon={CircleHelp} cli="intelgraph policy explain --token ID --action entity.read --thing ID">
        The answer names the policy that decided, what it asks for, and what it found. A decision that was made is explained where it stands, in Decisions.
      </Empty>
    );
  }
  return <Loaded asked={found} rows={6} what="the policy">{({ policyExplain }) => <div className={styles.answers}>{policyExplain.map((one) => <Explanation key={one.labelId} of={one} />)}</div>}</Loaded>;
}
