import { useOperation } from '../gateway/use.ts';
import { useMay, useSession } from '../shell/gate.tsx';
import { Page, Pairs, Section } from '../shell/page.tsx';
import { Loaded } from '../shell/states.tsx';
import { Time } from '../shell/time.tsx';

const SHOWN_MAX = 100;

export function AccessPage() {
  const session = useSession();
  return (
    <Page title="Access" lead="Who comes in, and what a policy lets them do.">
      <Section title="You">
        <Pairs of={[
          ['Token', <code key="token">{session.token}</code>],
          ['Role', session.role],
          ['Clearance', session.clearance],
          ['Purposes', session.purposes.join(', ')],
          ['Session ends', <Time key="ends" at={session.expires_at} />],
        ]} />
      </Section>
      {useMay('token.manage') && <Tokens />}
    </Page>
  );
}

function Tokens() {
  const asked = useOperation('tokenList:v1', { first: SHOWN_MAX });
  return (
    <Section title="Tokens">
      <Loaded asked={asked}>
        {({ tokens }) => (
          <table>
            <thead><tr><th>Token</th><th>Roles</th><th>Clearance</th><th>Purposes</th><th>Made by</th><th>Last used</th><th>Expires</th></tr></thead>
            <tbody>
              {tokens.edges.map(({ node }) => (
                <tr key={node.id}>
                  <td><code>{node.id}</code></td>
                  <td>{node.roles.join(', ')}</td>
                  <td>{node.clearance}</td>
                  <td>{node.purpose.join(', ')}</td>
                  <td><code>{node.madeBy}</code></td>
                  <td><Time at={node.usedAt} ago /></td>
                  <td>{node.revokedAt ? 'revoked' : <Time at={node.expiresAt} />}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
    </Section>
  );
}
