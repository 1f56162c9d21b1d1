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

/** Ids as an address names them: with commas between, those in an id written otherwise. */
export const seedOf = (ids: string[]) => ids.map((id) => id.replaceAll('%', '%25').replaceAll(',', '%2C')).join(',');
export const idsOf = (seed: string | undefined) =>
  [...new Set(seed?.split(',').filter(Boolean).map((id) => id.replaceAll('%2C', ',').replaceAll('%25', '%')) ?? [])];

export const graphs = [graphsRoute, graphRoute] as const;
