// The two routes that every page stands below: who is signed in, and which tenant the page is about.

import { createRootRoute, createRoute, type ErrorComponentProps } from '@tanstack/react-router';

import { ofTenant } from '../gateway/run.ts';
import { Frame } from './frame.tsx';
import { Gate } from './gate.tsx';
import { Failed, NotHere } from './states.tsx';

declare module '@tanstack/react-router' {
  interface StaticDataRouteOption {
    /** The page shows the past, too: it reads `asOf`. */
    asOf?: boolean;
  }
}

/** A page that failed: the rest lives on. */
const Broken = ({ error, reset }: ErrorComponentProps) => <Failed error={error as Error} onRetry={reset} />;

export const rootRoute = createRootRoute({ component: Gate, notFoundComponent: NotHere, errorComponent: Broken });

/** Pages of a tenant stand below this one: `createRoute({ getParentRoute: () => tenantRoute, path: 'sources', .. })`. */
export const tenantRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/t/$tenant',
  beforeLoad: ({ params }) => ofTenant(params.tenant),
  component: Frame,
  notFoundComponent: NotHere,
  errorComponent: Broken,
});
