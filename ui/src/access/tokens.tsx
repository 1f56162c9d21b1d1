import { Link, useNavigate } from '@tanstack/react-router';
import { KeyRound, Link2, Plus } from 'lucide-react';
import { useState } from 'react';

import type { Data } from '../gateway/run.ts';
import { purposesOf } from '../gateway/terms.ts';
import { useOperation } from '../gateway/use.ts';
import { count } from '../shell/amount.ts';
import { Badge, Classification } from '../shell/badge.tsx';
import { Button } from '../shell/button.tsx';
import { useMay, useSession } from '../shell/gate.tsx';
import { useKeys } from '../shell/keys.ts';
import { Empty, Loaded, Partial } from '../shell/states.tsx';
import table from '../shell/table.module.css';
import { Time } from '../shell/time.tsx';
import { NewToken } from './new-token.tsx';
import { Outside } from './outside.tsx';
import { AccessPart } from './parts.tsx';
import { Revoke } from './revoke.tsx';
import { accessRoute } from './routes.tsx';
import { SignInLink } from './sign-in-link.tsx';
import styles from './tokens.module.css';

export type Token = Data<'tokenList:v1'>['tokens']['edges'][number]['node'];

const TOKENS_MAX = 1_000;

/** Who comes in with a token: listed, made, revoked. */
export function Tokens() {
  const { make } = accessRoute.useSearch();
  const navigate = useNavigate({ from: accessRoute.fullPath });
  const [link, setLink] = useState(false);
  const open = (make: true | undefined) => void navigate({ search: (before) => ({ all: before.all, make }) });
  useKeys('Tokens', [{ key: 'n', does: 'New token', run: () => open(true) }]);
  return (
    <AccessPart at="tokens" actions={(
      <>
        <Button onPress={() => setLink(true)}><Link2 size={14} aria-hidden /> Sign-in link</Button>
        <Button main onPress={() => open(true)}><Plus size={14} aria-hidden /> New token</Button>
      </>
    )}>
      {link && <SignInLink onClose={() => setLink(false)} />}
      {make && <NewToken onClose={() => open(undefined)} />}
      <List />
      <Outside />
    </AccessPart>
  );
}

const isLive = ({ revokedAt, expiresAt }: Token) => !revokedAt && Date.parse(expiresAt) > Date.now();

/** Tokens that let somebody in, the last used first; the others if they are asked for. */
function List() {
  const { all } = accessRoute.useSearch();
  const navigate = useNavigate({ from: accessRoute.fullPath });
  const asked = useOperation('tokenList:v1', { first: TOKENS_MAX });
  return (
    <Loaded asked={asked} what="the tokens">
      {({ tokens: { edges, pageInfo } }) => {
        const tokens = edges.map(({ node }) => node).toSorted((a, b) => (b.usedAt ?? b.createdAt).localeCompare(a.usedAt ?? a.createdAt));
        const live = tokens.filter(isLive);
        const over = tokens.length - live.length;
        return (
          <>
            {pageInfo.hasNextPage && <Partial shown={tokens.length} what="tokens"><code>intelgraph token list</code> has them all</Partial>}
            <div className={styles.tools}>
              <p role="status">{count(live.length)} {live.length === 1 ? 'token lets' : 'tokens let'} somebody in</p>
              {over > 0 && <label><input type="checkbox" checked={all ?? false} onChange={(event) => void navigate({ search: { all: event.target.checked || undefined } })} /> Show {count(over)} revoked or expired</label>}
            </div>
            {tokens.length === 0 ? <Empty title="No token" icon={KeyRound}>Tokens let people and programs in.</Empty> : <Table tokens={all ? tokens : live} />}
          </>
        );
      }}
    </Loaded>
  );
}

function Table({ tokens }: { tokens: Token[] }) {
  const { revoke } = accessRoute.useSearch();
  return (
    <table className={`${table.table} ${styles.tokens}`}>
      <thead><tr><th>Token</th><th>Role</th><th>Sees</th><th>For</th><th>Last used</th><th>Ends</th><th><span className={styles.unseen}>What to do</span></th></tr></thead>
      <tbody>{tokens.map((token) => (token.id === revoke && !token.revokedAt ? <Revoke key={token.id} token={token} columns={7} /> : <Row key={token.id} token={token} />))}</tbody>
    </table>
  );
}

function Row({ token }: { token: Token }) {
  const { id, roles, clearance, purpose, scopes, madeBy, usedAt, createdAt, expiresAt, sessions, revokedAt } = token;
  const session = useSession();
  const { tenant } = accessRoute.useParams();
  const [maySee, mayAsk] = [useMay('decisions.read'), useMay('policy.manage')];
  const navigate = useNavigate({ from: accessRoute.fullPath });
  return (
    <tr data-over={!isLive(token) || undefined}>
      <th scope="row"><code>{id}</code>{id === session.token && <> <Badge tone="busy">you</Badge></>}<div className={styles.made}>made <Time at={createdAt} ago /> by {madeBy === 'node' ? 'the node' : <code>{madeBy}</code>}</div></th>
      <td data-name="role"><b>{roles.join(', ')}</b>{scopes.map((scope) => <div key={scope} className={styles.scope}>+ {scope}</div>)}</td>
      <td data-name="sees"><Classification of={clearance} /></td>
      <td data-name="for" className={styles.purposes}>{purposesOf(purpose)}</td>
      <td data-name="last used" className={table.nowrap}><Time at={usedAt} ago />{sessions > 0 && <div className={table.muted}>{sessions} {sessions === 1 ? 'browser' : 'browsers'}</div>}</td>
      <td data-name="ends" className={table.nowrap}>{revokedAt ? <Badge tone="bad">revoked <Time at={revokedAt} ago /></Badge> : isLive(token) ? <Time at={expiresAt} ago /> : <Badge>expired</Badge>}</td>
      <td className={styles.do}>
        {maySee && <Link to="/t/$tenant/access/decisions" params={{ tenant }} search={{ token: id }} title="What was decided of it">Decisions</Link>}
        {mayAsk && isLive(token) && <Link to="/t/$tenant/access/explain" params={{ tenant }} search={{ token: id }} title="Why it may do something, or not">Why</Link>}
        {isLive(token) && <Button danger aria-label={`Revoke ${id}`} onPress={() => void navigate({ search: (before) => ({ ...before, revoke: id }) })}>Revoke</Button>}
      </td>
    </tr>
  );
}
