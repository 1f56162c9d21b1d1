import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { tenantRoute } from '../shell/tenant.tsx';

export const node = [
  createRoute({
    getParentRoute: () => tenantRoute,
    path: 'node',
    component: lazyRouteComponent(() => import('./page.tsx'), 'NodePage'),
  }),
] as const;
