import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { flag, oneOf, params, text, texts, time, upTo } from '../shell/params.ts';
import { tenantRoute } from '../shell/tenant.tsx';

export const searchRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: 'search',
  validateSearch: params({
    q: text(1_000),
    type: texts(200, 20),
    source: texts(200, 20),
    notType: texts(200, 20),
    notSource: texts(200, 20),
    class: texts(20, 5),
    form: oneOf('relation', 'all'),
    from: time,
    to: time,
    sort: oneOf('relevance', 'newest'),
    by: oneOf('meaning'),
    weight: upTo(100),
    hit: text(500),
    revoked: flag,
    why: flag,
  }),
  component: lazyRouteComponent(() => import('./page.tsx'), 'SearchPage'),
});

export const tuningRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: 'search/tuning',
  validateSearch: params({ measure: oneOf('ndcg_at_10', 'mrr_at_10', 'recall_at_100'), weight: upTo(100), queries: oneOf('gain', 'lose', 'stay') }),
  component: lazyRouteComponent(() => import('./tuning-page.tsx'), 'TuningPage'),
});

export const search = [searchRoute, tuningRoute] as const;
