import { Link, useNavigate } from '@tanstack/react-router';

import type { Data } from '../gateway/run.ts';
import { useOperation } from '../gateway/use.ts';
import { count } from '../shell/amount.ts';
import { Button } from '../shell/button.tsx';
import { useMay } from '../shell/gate.tsx';
import { Section } from '../shell/page.tsx';
import { Degraded, Loaded, NotHere, Stale } from '../shell/states.tsx';
import { Time } from '../shell/time.tsx';
import { CedarText } from './cedar.tsx';
import { Difference } from './difference.tsx';
import { write } from './draft.ts';
import { AccessPart } from './parts.tsx';
import { PolicyHistory } from './policy-history.tsx';
import styles from './policy-page.module.css';
import { policyRoute } from './routes.tsx';
import { Writing } from './writing.tsx';

export type Policy = Data<'policy:v1'>['policy'];

/** What the text is called: the record that set it, or the policy that a new tenant has. */
export const versionName = (version: number) => (version === 0 ? 'the built-in policy' : `version ${count(version)}`);

/** The policy in force, to be read, tried out and set; and those that were. */
export function PolicyPage() {
  const { v } = policyRoute.useSearch();
  const asked = useOperation('policy:v1', {});
  if (!useMay('policy.manage')) return <NotHere />;
  return (
    <AccessPart at="policy">
      <Loaded asked={asked} rows={12} what="the policy">
        {({ policy }) => (
          <>
            {policy.problems.length > 0 && <Degraded stopped>This version of the program cannot decide by the policy in force, and so denies everything: {policy.problems.map(({ message }) => message).join('; ')}. An owner can replace it here.</Degraded>}
            {v !== undefined && v !== String(policy.version) ? <Former version={Number(v)} inForce={policy} /> : <Writing inForce={policy} />}
          </>
        )}
      </Loaded>
      <PolicyHistory shown={v} />
    </AccessPart>
  );
}

/** A version that was in force, beside the one that is. */
function Former({ version, inForce }: { version: number; inForce: Policy }) {
  const { tenant } = policyRoute.useParams();
  const navigate = useNavigate({ from: policyRoute.fullPath });
  const asked = useOperation('policy:v1', { version });
  const take = (text: string) => {
    write({ text, replaces: inForce.version });
    void navigate({ search: {} });
  };
  return (
    <Loaded asked={asked} rows={12}>
      {({ policy }) => (
        <>
          <Stale>
            <span>You read {versionName(version)}, set <Time at={policy.setAt} />; it is not in force.</span>
            <Link to="/t/$tenant/access/policy" params={{ tenant }} className={styles.back}>Back to {versionName(inForce.version)}</Link>
          </Stale>
          <Section title="What is different in the policy in force" note={`From ${versionName(version)} to ${versionName(inForce.version)}`}><Difference before={policy.text} after={inForce.text} /></Section>
          <Section title={`All of ${versionName(version)}`} note={<Button onPress={() => take(policy.text)}>Put it into the editor</Button>}>
            <CedarText text={policy.text} />
          </Section>
        </>
      )}
    </Loaded>
  );
}
