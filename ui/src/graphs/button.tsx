import { useNavigate } from '@tanstack/react-router';
import { Waypoints } from 'lucide-react';

import { Button } from '../shell/button.tsx';
import { useMay } from '../shell/gate.tsx';
import { seedOf } from './routes.tsx';

/** Begins a graph with a thing. */
export function GraphButton({ tenant, id }: { tenant: string; id: string }) {
  const navigate = useNavigate();
  if (!useMay('relation.read')) return null;
  return (
    <Button onPress={() => void navigate({ to: '/t/$tenant/graphs/$id', params: { tenant, id: 'new' }, search: { seed: seedOf([id]) } })}>
      <Waypoints size={14} aria-hidden /> Graph
    </Button>
  );
}
