// The eight kinds of things: a shape and two colours each, told apart by eyes of every sort.

export type Kind = 'person' | 'organization' | 'asset' | 'location' | 'event' | 'document' | 'claim' | 'case';

export interface Look {
  /** On white and on near-black. */
  light: string;
  dark: string;
  /** In a square of 24. */
  path: string;
}

export const LOOKS: Record<Kind, Look> = {
  person: { light: '#003F7F', dark: '#3B9EFF', path: 'M12 1a11 11 0 1 1 0 22 11 11 0 0 1 0-22Z' },
  organization: { light: '#B45309', dark: '#C97A1E', path: 'M6 1.5h12A4.5 4.5 0 0 1 22.5 6v12a4.5 4.5 0 0 1-4.5 4.5H6A4.5 4.5 0 0 1 1.5 18V6A4.5 4.5 0 0 1 6 1.5Z' },
  asset: { light: '#0F766E', dark: '#17877B', path: 'M12 .8 21.7 6.4v11.2L12 23.2 2.3 17.6V6.4Z' },
  location: { light: '#009E73', dark: '#A6D854', path: 'M12 1a9.6 9.6 0 0 1 9.6 9.6c0 5.4-6 10-9.6 12.6-3.6-2.6-9.6-7.2-9.6-12.6A9.6 9.6 0 0 1 12 1Z' },
  event: { light: '#7F1D1D', dark: '#B3342D', path: 'M12 .4 23.6 12 12 23.6.4 12Z' },
  document: { light: '#111827', dark: '#FFFFFF', path: 'M4.5 1h10.8L20.5 6.2V21.5A1.5 1.5 0 0 1 19 23H4.5A1.5 1.5 0 0 1 3 21.5v-19A1.5 1.5 0 0 1 4.5 1Z' },
  claim: { light: '#C26A9C', dark: '#FFB3E6', path: 'M4 2h16a3 3 0 0 1 3 3v11a3 3 0 0 1-3 3h-8l-5 4v-4H4a3 3 0 0 1-3-3V5a3 3 0 0 1 3-3Z' },
  case: { light: '#6F5BD7', dark: '#6F5BD7', path: 'M7.4 1h9.2L23 7.4v9.2L16.6 23H7.4L1 16.6V7.4Z' },
};

/** Types by the kind that they are drawn as. A type that is not here is a document. */
const KINDS: Record<Kind, string[]> = {
  person: ['person', 'user', 'user-account', 'actor', 'threat-actor', 'individual', 'account', 'employee'],
  organization: ['organization', 'organisation', 'company', 'group', 'identity', 'intrusion-set', 'vendor', 'agency'],
  asset: ['asset', 'host', 'server', 'device', 'domain', 'domain-name', 'ipv4-addr', 'ipv6-addr', 'url', 'infrastructure', 'malware',
    'tool', 'software', 'vulnerability', 'file', 'process', 'network-traffic', 'x-mitre-asset', 'x-mitre-data-source', 'x-mitre-data-component'],
  location: ['location', 'place', 'country', 'city', 'region', 'address', 'site'],
  event: ['event', 'incident', 'campaign', 'attack-pattern', 'observed-data', 'sighting', 'transaction', 'alert'],
  document: ['document', 'report', 'note', 'course-of-action', 'marking-definition', 'x-mitre-collection', 'x-mitre-matrix', 'publication'],
  claim: ['claim', 'opinion', 'indicator', 'statement', 'language-content', 'x-mitre-detection-strategy', 'x-mitre-analytic'],
  case: ['case', 'grouping', 'investigation', 'x-mitre-tactic', 'x-case', 'ticket'],
};

const BY_TYPE = new Map(Object.entries(KINDS).flatMap(([kind, types]) => types.map((type) => [type, kind as Kind])));

/** The kind that a type is drawn as. */
export function kindOf(type: string): Kind {
  return BY_TYPE.get(type.toLowerCase()) ?? 'document';
}

/** A type in words: `x-mitre-data-source` is a data source. */
export function wordsOf(type: string): string {
  return type.replace(/^x-(mitre-)?/, '').replaceAll(/[-_]+/g, ' ');
}
