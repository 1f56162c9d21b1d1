import { useNavigate, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { useSession } from '../shell/gate.tsx';
import { Page } from '../shell/page.tsx';
import { Tabs } from '../shell/tabs.tsx';
import styles from './parts.module.css';

const PARTS = [
  { id: 'tokens', word: 'Tokens', needs: 'token.manage', to: '/t/$tenant/access' },
  { id: 'policy', word: 'Policy', needs: 'policy.manage', to: '/t/$tenant/access/policy' },
  { id: 'decisions', word: 'Decisions', needs: 'decisions.read', to: '/t/$tenant/access/decisions' },
  { id: 'explain', word: 'Why', needs: 'policy.manage', to: '/t/$tenant/access/explain' },
] as const;

type Part = (typeof PARTS)[number]['id'];

/** The parts of Access that a session may open. */
export function useParts() {
  const { actions } = useSession();
  return PARTS.filter(({ needs }) => actions.includes(needs));
}

/** A page of Access, below the ways to the others. */
export function AccessPart({ at, actions, children }: { at: Part; actions?: ReactNode; children: ReactNode }) {
  const { tenant } = useParams({ strict: false }) as { tenant: string };
  const navigate = useNavigate();
  const parts = useParts();
  return (
    <Page title="Access" lead="Who comes in, what a policy lets them do, and what it decided." actions={actions}>
      {parts.length > 1 && (
        <div className={styles.tabs}>
          <Tabs label="Parts of Access" at={at} tabs={parts.map(({ id, word }) => ({ id, word }))}
            onGo={(id) => void navigate({ to: PARTS.find((part) => part.id === id)!.to, params: { tenant } })} />
        </div>
      )}
      {children}
    </Page>
  );
}
