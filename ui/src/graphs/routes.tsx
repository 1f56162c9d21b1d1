import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { tenantRoute } from '../shell/tenant.tsx';

export const graphs = [
  createRoute({
    getParentRoute: () => tenantRoute,
    path: 'graphs',
    component: lazyRouteComponent(() => import('./page.tsx'), 'GraphsPage'),
  }),
] as const;
