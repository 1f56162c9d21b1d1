import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { oneOf, params, text, time } from '../shell/params.ts';
import { tenantRoute } from '../shell/tenant.tsx';

export const graphsRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: 'graphs',
  component: lazyRouteComponent(() => import('./list.tsx'), 'GraphsPage'),
});

/** `new` is a graph that nobody has saved; `seed` is what it begins with, ids with commas between. */
export const graphRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: 'graphs/$id',
  validateSearch: params({
    seed: text(1_800),
    view: oneOf('graph', 'table'),
    sel: text(500),
    asOf: time,
  }),
  staticData: { asOf: true },
  component: lazyRouteComponent(() => import('./page.tsx'), 'GraphPage'),
});

export const graphs = [graphsRoute, graphRoute] as const;
