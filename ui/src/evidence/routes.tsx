import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { tenantRoute } from '../shell/tenant.tsx';

export const evidence = [
  createRoute({
    getParentRoute: () => tenantRoute,
    path: 'evidence',
    component: lazyRouteComponent(() => import('./page.tsx'), 'EvidencePage'),
  }),
] as const;
