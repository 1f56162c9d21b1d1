import { Link } from '@tanstack/react-router';
import { X } from 'lucide-react';

import { useOperation } from '../gateway/use.ts';
import { Value } from '../entity/value.tsx';
import { KindIcon, RelationIcon } from '../kinds/icon.tsx';
import { wordsOf } from '../kinds/shapes.ts';
import { IconButton } from '../shell/button.tsx';
import { Loaded, NotHere } from '../shell/states.tsx';
import { Time } from '../shell/time.tsx';
import { Title } from './hit.tsx';
import styles from './inspector.module.css';

const FACTS_MAX = 8;

/** A hit beside the list: what is said of it first, by whom, and where that is recorded. */
export function Inspector({ id, tenant, onClose }: { id: string; tenant: string; onClose: () => void }) {
  const asked = useOperation('entity:v2', { id }, { keep: true });
  return (
    <aside className={styles.inspector} aria-label="Inspector">
      <Loaded asked={asked} rows={5}>
        {({ entity }) => (entity ? (
          <>
            <header>
              {entity.from ? <RelationIcon size={24} /> : <KindIcon type={entity.type} size={24} />}
              <div>
                <h2><Link to="/t/$tenant/e/$id" params={{ tenant, id }}><Title of={entity} /></Link></h2>
                <p>{entity.from ? 'relation' : wordsOf(entity.type)}{entity.status !== 'active' && ` · ${entity.status}`}</p>
              </div>
              <IconButton label="Close (Esc)" onPress={onClose}><X size={16} /></IconButton>
            </header>
            <dl>
              {entity.attributes.filter(({ shown }) => shown).slice(0, FACTS_MAX).map(({ name, value, source, observedAt }) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd><Value of={value} short /> <span>{source}, <Time at={observedAt} /></span></dd>
                </div>
              ))}
            </dl>
            <footer>
              <Link to="/t/$tenant/e/$id" params={{ tenant, id }}>All facts</Link>
              <Link to="/t/$tenant/e/$id" params={{ tenant, id }} search={{ tab: 'relations' }}>Relations</Link>
              {entity.receipt && <Link to="/t/$tenant/e/$id" params={{ tenant, id }} search={{ tab: 'provenance' }}>Receipt {entity.receipt.lsn.toLocaleString('en')}</Link>}
            </footer>
          </>
        ) : <NotHere />)}
      </Loaded>
    </aside>
  );
}
