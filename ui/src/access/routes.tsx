import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { flag, oneOf, params, text } from '../shell/params.ts';
import { tenantRoute } from '../shell/tenant.tsx';

const id = text(200);

export const accessRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: 'access',
  validateSearch: params({ all: flag, make: flag, revoke: id }),
  component: lazyRouteComponent(() => import('./page.tsx'), 'AccessPage'),
});

export const policyRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: 'access/policy',
  validateSearch: params({ v: ([value]) => (value && /^\d{1,15}$/.test(value) ? value : undefined) }),
  component: lazyRouteComponent(() => import('./policy-page.tsx'), 'PolicyPage'),
});

export const decisionsRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: 'access/decisions',
  validateSearch: params({ token: id, action: id, denied: flag, request: id, at: id }),
  component: lazyRouteComponent(() => import('./decisions-page.tsx'), 'DecisionsPage'),
});

export const explainRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: 'access/explain',
  validateSearch: params({ token: id, action: id, on: oneOf('thing', 'label'), thing: text(500), nr: ([value]) => (value && /^\d{1,9}$/.test(value) ? value : undefined), purpose: id }),
  component: lazyRouteComponent(() => import('./explain-page.tsx'), 'ExplainPage'),
});

export const access = [accessRoute, policyRoute, decisionsRoute, explainRoute] as const;
