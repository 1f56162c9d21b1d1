import { createRoute, createRouter } from '@tanstack/react-router';

import { access } from '../access/routes.tsx';
import { entity } from '../entity/routes.tsx';
import { evidence } from '../evidence/routes.tsx';
import { graphs } from '../graphs/routes.tsx';
import { node } from '../node/routes.tsx';
import { search } from '../search/routes.tsx';
import { sources } from '../sources/routes.tsx';
import { parseSearch, stringifySearch } from './params.ts';
import { rootRoute, tenantRoute } from './tenant.tsx';

/** The ways in; who is signed in is led on from there. */
const ways = ['/', '/-/sign-in', '/-/first'].map((path) => createRoute({ getParentRoute: () => rootRoute, path, component: () => null }));

const tenant = tenantRoute.addChildren([...search, ...entity, ...graphs, ...sources, ...access, ...evidence, ...node]);

export const router = createRouter({
  routeTree: rootRoute.addChildren([...ways, tenant]),
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
