// Lets in who is signed in; to everybody else it shows how to be. The address stays, and is opened when they are.

import { useQuery } from '@tanstack/react-query';
import { Navigate, Outlet, useLocation } from '@tanstack/react-router';
import { createContext, useContext, useEffect, useState } from 'react';

import type { GatewayError } from '../gateway/run.ts';
import { ask, type Session, takeCode } from '../gateway/session.ts';
import { queries } from '../gateway/use.ts';
import { placesFor } from './places.ts';
import { SignIn } from './sign-in.tsx';
import { Failed, Loading, NotHere } from './states.tsx';
import styles from './gate.module.css';

const SessionContext = createContext<Session | null>(null);

/** Who is signed in, on the tenant of the page. */
export function useSession(): Session {
  return useContext(SessionContext)!;
}

/** Whether the session may do something, by the name that policies use. */
export function useMay(action: string): boolean {
  return useSession().actions.includes(action);
}

/** Once the node says that nobody is signed in, the page shows so. */
queries.getQueryCache().subscribe((event) => {
  const error = event.query.state.error as GatewayError | null;
  if (error?.status === 401 && event.query.queryKey[0] !== 'session') void queries.invalidateQueries({ queryKey: ['session'] });
});

/** The code of the link that the page was opened by, until it is used. */
function useCode(): [string | null, () => void] {
  const [code, setCode] = useState(takeCode);
  useEffect(() => {
    // A link that is opened where the page is open already changes nothing but the part behind the `#`.
    const changed = () => setCode((before) => takeCode() ?? before);
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return [code, () => setCode(null)];
}

export function Gate() {
  const [code, codeUsed] = useCode();
  const { pathname } = useLocation();
  const tenant = pathname.match(/^\/t\/([^/]+)/)?.[1] ?? null;
  const asked = useQuery<Session | null, GatewayError>({
    queryKey: ['session', tenant],
    queryFn: ({ signal }) => ask(signal),
    staleTime: 60_000,
    // Whoever signs in elsewhere, or is signed out, finds that here when they come back.
    refetchOnWindowFocus: 'always',
  });
  useEffect(() => {
    if (asked.data === null) queries.removeQueries({ predicate: (query) => query.queryKey[0] !== 'session' });
  }, [asked.data]);
  const entered = (session: Session) => {
    codeUsed();
    queries.removeQueries({ predicate: (query) => query.queryKey[0] !== 'session' });
    queries.setQueryData(['session', tenant], session);
  };
  if (code) return <SignIn key={code} code={code} onSignedIn={entered} />;
  if (asked.data === undefined) {
    const refused = asked.error?.status === 404 ? <NotHere /> : asked.error && <Failed error={asked.error} onRetry={() => void asked.refetch()} />;
    return <main className={styles.alone}>{refused ?? <Loading rows={3} />}</main>;
  }
  if (asked.data === null) return <SignIn onSignedIn={entered} />;
  if (tenant === null) return <Navigate to={placesFor(asked.data.actions)[0]!.to} params={{ tenant: asked.data.tenant }} replace />;
  return <SessionContext value={asked.data}><Outlet /></SessionContext>;
}
