// The guided five minutes: what to do, in order, on data that are there.

import { useOperation } from '../gateway/use.ts';

export interface Step {
  id: string;
  title: string;
  /** What there is to see. */
  says: string;
  /** Where it is: below the tenant, and behind the `?`. */
  at?: { path: string; search: Record<string, string> };
  /** Instead of going somewhere: see the page as a reader for these purposes. */
  asReaderFor?: string[];
}

/** The titles of the things that the steps are about. */
const SUBJECT = 'Mimikatz';
const GROUP = 'APT29';
const END = 'Rogue Domain Controller';

/** The steps; none, if what they are about is not here, or not for this reader. */
export function useSteps(): Step[] {
  const [subject, group, end] = [useId(SUBJECT), useId(GROUP), useId(END)];
  if (!subject || !group || !end) return [];
  return [
    { id: 'words', title: 'Search by words', says: 'Hits come as you type, with the words marked and the time it took. The filters on the left count what you may see.', at: { path: 'search', search: { q: 'credential dumping' } } },
    { id: 'filters', title: 'Narrow it down', says: 'What you type can filter: a type, a source, a date. Each becomes a chip that can be taken out.', at: { path: 'search', search: { q: 'type:malware lateral movement' } } },
    { id: 'phrase', title: 'Phrases, and words left out', says: 'In quotation marks words stand together; after a minus they must not be there.', at: { path: 'search', search: { q: '"spearphishing attachment" -macro' } } },
    { id: 'entity', title: `What is said of ${SUBJECT}`, says: 'Each fact with who says so, when they saw it, and its record. The texts of this demo were shortened by those who packed them: most descriptions end at 300 characters.', at: { path: `e/${subject}`, search: {} } },
    { id: 'path', title: `How ${GROUP} gets there`, says: `The shortest ways from ${GROUP} to ${END}. Through what you may not see there is none.`, at: { path: `e/${group}`, search: { tab: 'paths', to: end } } },
    { id: 'receipt', title: 'Prove it', says: 'Press Verify: your browser goes from the record up to the root that the node has signed. It need not trust the node for that.', at: { path: `e/${subject}`, search: { tab: 'provenance' } } },
    { id: 'lesser', title: 'See it as a lesser reader', says: 'A reader who comes for fraud-risk: the source gave its data for other purposes. The same page, and nothing of it is here; nor is there a trace that something is.', asReaderFor: ['fraud-risk'] },
  ];
}

function useId(title: string): string | undefined {
  const asked = useOperation('suggest:v1', { prefix: title, limit: 5 });
  return asked.data?.data.suggest.find((one) => one.title === title)?.id;
}
