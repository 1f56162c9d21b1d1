import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { params } from '../shell/params.ts';
import { tenantRoute } from '../shell/tenant.tsx';

export const node = [
  createRoute({
    getParentRoute: () => tenantRoute,
    path: 'node',
    validateSearch: params({}),
    component: lazyRouteComponent(() => import('./page.tsx'), 'NodePage'),
  }),
] as const;
