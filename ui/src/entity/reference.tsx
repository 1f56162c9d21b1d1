import { Link, useParams } from '@tanstack/react-router';

import { useOperation } from '../gateway/use.ts';
import { KindIcon } from '../kinds/icon.tsx';
import { shorter } from './names.ts';

/** A value that is the id of another thing, by its title; as it stands, if there is no such thing for this reader. */
export function Reference({ id }: { id: string }) {
  const { tenant } = useParams({ strict: false });
  const asked = useOperation('entity:v2', { id });
  const entity = asked.data?.data.entity;
  if (!tenant || !entity) return <code title={id}>{shorter(id)}</code>;
  return (
    <Link to="/t/$tenant/e/$id" params={{ tenant, id }} title={id} style={{ display: 'inline-flex', alignItems: 'center', gap: 6 }}>
      <KindIcon type={entity.type} size={16} />{entity.title === id ? shorter(id) : entity.title}
    </Link>
  );
}
