import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { tenantRoute } from '../shell/tenant.tsx';

export const sources = [
  createRoute({
    getParentRoute: () => tenantRoute,
    path: 'sources',
    component: lazyRouteComponent(() => import('./page.tsx'), 'SourcesPage'),
  }),
] as const;
