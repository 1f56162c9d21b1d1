import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { tenantRoute } from '../shell/tenant.tsx';

export const access = [
  createRoute({
    getParentRoute: () => tenantRoute,
    path: 'access',
    component: lazyRouteComponent(() => import('./page.tsx'), 'AccessPage'),
  }),
] as const;
