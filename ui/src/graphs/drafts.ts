// Graphs that somebody left without closing the page: who comes back goes on where they were, with all that can be taken back.

import { queries } from '../gateway/use.ts';
import type { Graph, Work } from './model.ts';
import type { SavedGraph } from './saving.tsx';

export interface Draft {
  work: Work;
  /** What was saved last, and as what. */
  kept: { graph: Graph; saved: SavedGraph | null };
}

/** The one that was left longest ago is forgotten first. */
const DRAFTS_MAX = 8;
const drafts = new Map<string, Draft>();

/** Who signs out takes them along: whoever comes next finds nothing. */
queries.getQueryCache().subscribe(({ query }) => {
  if (query.queryKey[0] === 'session' && query.state.data === null) drafts.clear();
});

export const draftOf = (name: string): Draft | undefined => drafts.get(name);

export function leave(name: string, draft: Draft) {
  drafts.delete(name);
  drafts.set(name, draft);
  if (drafts.size > DRAFTS_MAX) drafts.delete(drafts.keys().next().value!);
}

export function forget(name: string) {
  drafts.delete(name);
}

/** What a draft is kept by: its id, or what a new one began with. */
export const nameOf = (id: string, seed: string | undefined) => (id === 'new' ? `new ${seed ?? ''}` : id);
