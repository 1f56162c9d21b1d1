import { Navigate } from '@tanstack/react-router';

import { useMay } from '../shell/gate.tsx';
import { NotHere } from '../shell/states.tsx';
import { accessRoute } from './routes.tsx';
import { useParts } from './parts.tsx';
import { Tokens } from './tokens.tsx';

/** Tokens; who may not see them is led to what they may. */
export function AccessPage() {
  const { tenant } = accessRoute.useParams();
  const parts = useParts();
  if (useMay('token.manage')) return <Tokens />;
  return parts[0] ? <Navigate to={parts[0].to} params={{ tenant }} replace /> : <NotHere />;
}
