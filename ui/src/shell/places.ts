import { Database, FileCheck2, type LucideIcon, Search, Server, ShieldCheck, Waypoints } from 'lucide-react';

/** A place of the app. It is there for who may do one of its actions; for everybody, if it has none. */
export interface Place {
  /** Its address. */
  to: '/t/$tenant/search' | '/t/$tenant/graphs' | '/t/$tenant/sources' | '/t/$tenant/access' | '/t/$tenant/evidence' | '/t/$tenant/node';
  word: string;
  icon: LucideIcon;
  /** Behind `g`. */
  letter: string;
  needs: string[];
}

/** In the order of the rail. */
export const PLACES: Place[] = [
  { to: '/t/$tenant/search', word: 'Search', icon: Search, letter: 's', needs: ['entity.search'] },
  { to: '/t/$tenant/graphs', word: 'Graphs', icon: Waypoints, letter: 'g', needs: ['relation.read'] },
  { to: '/t/$tenant/sources', word: 'Sources', icon: Database, letter: 'o', needs: ['entity.read', 'import.run'] },
  { to: '/t/$tenant/access', word: 'Access', icon: ShieldCheck, letter: 'a', needs: ['token.manage', 'policy.manage', 'decisions.read'] },
  { to: '/t/$tenant/evidence', word: 'Evidence', icon: FileCheck2, letter: 'v', needs: ['ledger.read', 'ledger.export'] },
  { to: '/t/$tenant/node', word: 'Node', icon: Server, letter: 'n', needs: [] },
];

export function placesFor(actions: string[]): Place[] {
  return PLACES.filter((place) => place.needs.length === 0 || place.needs.some((action) => actions.includes(action)));
}
