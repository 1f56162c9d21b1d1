// An address for each page, and for what a page can show.

import { node } from './world.mjs';

const { search } = await node.run('search:v4', { q: 'mimikatz', first: 1, form: 'ENTITY' });
const id = search.edges[0].node.id;
const relation = (await node.run('relations:v3', { id, first: 1 })).relations.edges[0].node.id;

await node.import('long', [{
  id: `long-${'x'.repeat(200)}`, type: `a-type-that-goes-on-${'and-on-'.repeat(8)}`,
  attributes: { name: `${'An unbroken'.repeat(12)} and then ${'many many words '.repeat(20)}`, [`a_property_${'with_a_long_name_'.repeat(6)}`]: 'y'.repeat(2_000), nothing: null, list: Array.from({ length: 40 }, (_, n) => `item ${n}`) },
}]);

/** Addresses below the tenant, by the names of their pictures. */
export const PAGES = {
  start: 'search',
  hits: 'search?q=credential+dumping',
  'hits-filtered': 'search?q=type:malware+dump+-windows&from=2020-01-01&why=1',
  'hits-inspected': `search?q=mimikatz&hit=${id}`,
  'hits-relations': 'search?q=credential+dumping&form=relation',
  'hits-none': 'search?q=zzzqqqxxx&type=malware',
  tuning: 'search/tuning',
  entity: `e/${id}`,
  'entity-relations': `e/${id}?tab=relations`,
  'entity-relation': `e/${relation}`,
  'entity-paths': `e/${id}?tab=paths`,
  'entity-history': `e/${id}?tab=history`,
  'entity-provenance': `e/${id}?tab=provenance`,
  'entity-past': `e/${id}?asOf=2999-01-01T00:00:00Z`,
  'entity-long': `e/${encodeURIComponent(`long-${'x'.repeat(200)}`)}`,
  'not-here': 'e/nothing',
  graphs: 'graphs',
  sources: 'sources',
  'sources-imports': 'sources?tab=imports',
  'sources-one': 'sources/attack',
  'sources-import': 'sources/-/import',
  'sources-run': 'sources/-/imports/5',
  access: 'access',
  'access-make': 'access?make=1',
  'access-policy': 'access/policy',
  'access-decisions': 'access/decisions',
  'access-explain': 'access/explain',
  evidence: 'evidence',
  'evidence-receipt': 'evidence/receipts/100',
  node: 'node',
};
