// The closed vocabularies of the node, with what each word means.

export interface Word {
  id: string;
  says: string;
}

export const ROLES: Word[] = [
  { id: 'reader', says: 'Reads' },
  { id: 'analyst', says: 'Reads and imports' },
  { id: 'writer', says: 'Imports, reads nothing' },
  { id: 'auditor', says: 'The ledger and the decisions only' },
  { id: 'admin', says: 'All of this tenant, with its tokens and its policy' },
  { id: 'owner', says: 'The node, and every tenant' },
];

/** From what anybody may see to what hardly anybody may. */
export const CLASSIFICATIONS: Word[] = [
  { id: 'public', says: 'Everybody who comes in' },
  { id: 'internal', says: 'Who works here' },
  { id: 'confidential', says: 'Some' },
  { id: 'restricted', says: 'Few; never for training' },
  { id: 'secret', says: 'Fewest' },
];

export const PURPOSES: Word[] = [
  { id: 'investigation', says: 'Investigating a case' },
  { id: 'threat-intel', says: 'Threat intelligence' },
  { id: 'fraud-risk', says: 'Fraud and risk' },
  { id: 't&s', says: 'Trust and safety' },
  { id: 'benchmarking', says: 'Benchmarking' },
  { id: 'training', says: 'Training models' },
  { id: 'demo', says: 'Showing the product' },
];

/** Purposes in words; all of them are said as that. */
export function purposesOf(names: string[]): string {
  return names.length === PURPOSES.length ? 'all purposes' : names.join(', ');
}

export const LICENCES: Word[] = [
  { id: 'MIT-OK', says: 'Free use; may leave in a file' },
  { id: 'Open-Data-OK', says: 'Open data; may leave in a file' },
  { id: 'Restricted-TOS', says: 'Terms of service restrict its use; stays here' },
  { id: 'Proprietary-Client', says: 'A client’s property; stays here' },
  { id: 'Embargoed', says: 'Readable by nobody without an explicit permit' },
];

export const RETENTIONS: Word[] = [
  { id: 'ephemeral-7d', says: '7 days after it was last said' },
  { id: 'short-30d', says: '30 days; personal data always' },
  { id: 'standard-365d', says: 'A year' },
  { id: 'long-1825d', says: 'Five years' },
  { id: 'legal-hold', says: 'Until the hold is lifted' },
];

/** Decided for each label of what is read. */
export const READS = ['entity.search', 'entity.read', 'relation.read', 'ledger.read', 'lineage.read', 'lineage.names', 'embedding.read', 'entity.export'];

/** Decided once for a request. */
export const WRITES = ['entity.write', 'source.write', 'import.run', 'token.manage', 'policy.manage', 'node.manage', 'ledger.export', 'decisions.read', 'entity.redact', 'hold.manage', 'flag.manage'];
