import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { oneOf, params, text, texts, time } from '../shell/params.ts';
import { tenantRoute } from '../shell/tenant.tsx';

export const entityRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: 'e/$id',
  validateSearch: params({
    tab: oneOf('facts', 'relations', 'paths', 'history', 'provenance'),
    kind: texts(200, 1),
    direction: oneOf('out', 'in'),
    fact: text(20),
    to: text(512),
    asOf: time,
  }),
  staticData: { asOf: true },
  component: lazyRouteComponent(() => import('./page.tsx'), 'EntityPage'),
});

export const entity = [entityRoute] as const;
