import { Link, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';

import button from '../shell/button.module.css';
import { useMay } from '../shell/gate.tsx';
import { useKeys } from '../shell/keys.ts';
import { Page } from '../shell/page.tsx';
import { Tabs } from '../shell/tabs.tsx';
import { useRuns } from './list.ts';
import styles from './page.module.css';
import { Progress } from './progress.tsx';
import { sourcesRoute } from './routes.tsx';
import { Runs } from './runs.tsx';
import { SourceList } from './source-list.tsx';

/** Who says what is here, and how it came in. */
export function SourcesPage() {
  const { tenant } = sourcesRoute.useParams();
  const { tab } = sourcesRoute.useSearch();
  const navigate = useNavigate({ from: sourcesRoute.fullPath });
  const [mayRead, mayImport] = [useMay('entity.read'), useMay('import.run')];
  const at = !mayRead ? 'imports' : !mayImport ? 'sources' : tab ?? 'sources';
  const runs = useRuns();
  const running = runs.data?.data.runs.edges.filter(({ node }) => node.state === 'running').length;
  useKeys('Sources', mayImport ? [{ key: 'n', does: 'New import', run: () => void navigate({ to: '/t/$tenant/sources/-/import', params: { tenant } }) }] : []);
  return (
    <Page title="Sources" lead="Who says what is in here, on which terms, and how it came in."
      actions={mayImport && (
        <Link to="/t/$tenant/sources/-/import" params={{ tenant }} className={`${button.button} ${button.main}`} title="New import (n)"><Plus size={14} aria-hidden /> New import</Link>
      )}>
      <Progress tenant={tenant} />
      {mayRead && mayImport && (
        <div className={styles.tabs}>
          <Tabs label="Parts of Sources" at={at} onGo={(to) => void navigate({ search: { tab: to === 'sources' ? undefined : 'imports' } })}
            tabs={[{ id: 'sources', word: 'Sources' }, { id: 'imports', word: 'Imports', count: running || undefined }]} />
        </div>
      )}
      {at === 'sources' ? <SourceList tenant={tenant} runs={runs} /> : <Runs tenant={tenant} runs={runs} />}
    </Page>
  );
}
