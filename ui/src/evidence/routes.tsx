import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { params } from '../shell/params.ts';
import { tenantRoute } from '../shell/tenant.tsx';

export const evidenceRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: 'evidence',
  validateSearch: params({}),
  component: lazyRouteComponent(() => import('./page.tsx'), 'EvidencePage'),
});

export const receiptRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: 'evidence/receipts/$lsn',
  validateSearch: params({}),
  component: lazyRouteComponent(() => import('./receipt-page.tsx'), 'ReceiptPage'),
});

export const evidence = [evidenceRoute, receiptRoute] as const;
