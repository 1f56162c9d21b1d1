import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { oneOf, params, text } from '../shell/params.ts';
import { tenantRoute } from '../shell/tenant.tsx';

export const sourcesRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: 'sources',
  validateSearch: params({
    tab: oneOf('sources', 'imports'),
    order: oneOf('name', 'things', 'newest'),
    find: text(200),
    state: oneOf('running', 'complete', 'failed', 'interrupted'),
  }),
  component: lazyRouteComponent(() => import('./page.tsx'), 'SourcesPage'),
});

export const sourceRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: 'sources/$name',
  validateSearch: params({}),
  component: lazyRouteComponent(() => import('./source-page.tsx'), 'SourcePage'),
});

/** What is no source stands behind a `-`, so that every source may have the name that it has. */
export const importRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: 'sources/-/import',
  validateSearch: params({ into: text(200) }),
  component: lazyRouteComponent(() => import('./import-page.tsx'), 'ImportPage'),
});

export const runRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: 'sources/-/imports/$run',
  validateSearch: params({}),
  component: lazyRouteComponent(() => import('./run-page.tsx'), 'RunPage'),
});

export const sources = [sourcesRoute, sourceRoute, importRoute, runRoute] as const;
