import { type FormEvent, useState } from 'react';

import { run } from '../gateway/run.ts';
import { queries, useOperation } from '../gateway/use.ts';
import { Button } from '../shell/button.tsx';
import { Field } from '../shell/field.tsx';
import { Section } from '../shell/page.tsx';
import { Loaded, Partial } from '../shell/states.tsx';
import table from '../shell/table.module.css';
import { Time } from '../shell/time.tsx';
import styles from './outside.module.css';

type Way = 'deny' | 'allow' | 'deny-token';

/** Who comes by the identity provider: shut out at once, and let in again. */
export function Outside() {
  const [subject, setSubject] = useState('');
  const [jti, setJti] = useState('');
  const [said, setSaid] = useState<{ text: string; isWrong: boolean } | null>(null);
  const [busy, setBusy] = useState(false);
  const take = async (way: Way, name: string) => {
    if (!name.trim()) return setSaid({ text: way === 'deny-token' ? 'Which token? Its jti stands in the token.' : 'Who? The subject is what the provider calls them (sub).', isWrong: true });
    setBusy(true);
    try {
      const { changed, lsn } = await ask(way, name.trim());
      const is = way === 'allow' ? `${name} may come in again` : way === 'deny' ? `${name} is denied from now on` : `The token ${name} is denied from now on`;
      await queries.invalidateQueries({ queryKey: ['tokenDenials:v1'] });
      setSaid({ text: changed ? `${is}; record ${lsn.toLocaleString('en')}.` : 'That was so before; nothing is changed.', isWrong: false });
    } catch (error) {
      setSaid({ text: (error as Error).message, isWrong: true });
    } finally {
      setBusy(false);
    }
  };
  const submit = (event: FormEvent) => event.preventDefault();
  return (
    <Section title="Who comes by your identity provider" note="They have no token here">
      <form className={styles.outside} onSubmit={submit}>
        <div>
          <Field label="Subject" hint="What the provider calls somebody (sub)">{(control) => <input {...control} value={subject} autoComplete="off" spellCheck={false} onChange={(event) => setSubject(event.target.value)} />}</Field>
          <span><Button danger isDisabled={busy} onPress={() => void take('deny', subject)}>Deny</Button><Button isDisabled={busy} onPress={() => void take('allow', subject)}>Allow again</Button></span>
        </div>
        <div>
          <Field label="One token" hint="Its jti; others of the same person go on">{(control) => <input {...control} value={jti} autoComplete="off" spellCheck={false} onChange={(event) => setJti(event.target.value)} />}</Field>
          <span><Button danger isDisabled={busy} onPress={() => void take('deny-token', jti)}>Deny this token</Button></span>
        </div>
        <Denied onAllow={(subject) => void take('allow', subject)} />
        {said && <p role={said.isWrong ? 'alert' : 'status'} data-wrong={said.isWrong || undefined}>{said.text}</p>}
      </form>
    </Section>
  );
}

async function ask(way: Way, name: string) {
  if (way === 'allow') return (await run('tokenAllow:v1', { subject: name })).data.tokenAllow;
  return (await run('tokenDeny:v1', way === 'deny' ? { subject: name } : { jti: name })).data.tokenDeny;
}

const DENIALS_MAX = 100;

/** Who is shut out, and which tokens are. */
function Denied({ onAllow }: { onAllow: (subject: string) => void }) {
  const asked = useOperation('tokenDenials:v1', { first: DENIALS_MAX });
  return (
    <Loaded asked={asked} rows={2}>
      {({ tokenDenials: { edges, pageInfo } }) => edges.length === 0 ? null : (
        <div className={styles.denied}>
          <table className={table.table}>
            <thead><tr><th>Denied</th><th>By</th><th>Since</th><th /></tr></thead>
            <tbody>
              {edges.map(({ node: { issuer, subject, jti, deniedAt } }) => (
                <tr key={`${issuer} ${subject} ${jti}`}>
                  <th scope="row">{subject ?? <>one token <code>{jti}</code></>}</th>
                  <td data-name="by">{issuer}</td>
                  <td data-name="since"><Time at={deniedAt} ago /></td>
                  <td>{subject && <Button aria-label={`Allow ${subject} again`} onPress={() => onAllow(subject)}>Allow again</Button>}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {pageInfo.hasNextPage && <Partial shown={edges.length} what="denials" />}
        </div>
      )}
    </Loaded>
  );
}
