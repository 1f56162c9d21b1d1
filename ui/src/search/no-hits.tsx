import { useQueries } from '@tanstack/react-query';

import { run } from '../gateway/run.ts';
import { Button } from '../shell/button.tsx';
import { Empty } from '../shell/states.tsx';
import { type Asked, type Params, totalOf } from './question.ts';

interface Props {
  asked: Asked;
  params: Params;
  onChange: (to: Partial<Params>) => void;
}

interface Way {
  word: string;
  without: object;
  to: Partial<Params>;
}

/** Nothing was found: what was searched, and what would be found without each of the filters. */
export function NoHits({ asked, params, onChange }: Props) {
  const ways = waysOut(asked, params);
  const counts = useQueries({
    queries: ways.map(({ without }) => ({
      queryKey: ['search:v4', 'count', asked.variables, without],
      queryFn: async () => {
        const variables = { ...asked.variables, ...without };
        const { data } = await run('search:v4', { ...variables, first: 1, facets: true });
        return totalOf(data.search.facets, variables);
      },
    })),
  });
  const found = ways.map((way, index) => ({ ...way, count: counts[index]?.data ?? 0 })).filter(({ count }) => count > 0);
  return (
    <Empty title={asked.words ? `Nothing is about “${asked.words}”` : 'Nothing fits these filters'}>
      <p>Of what you may see. Words near to what was typed were tried, too.</p>
      {found.map(({ word, to, count }) => (
        <Button key={word} onPress={() => onChange(to)}>Without {word}: {count.toLocaleString('en')}</Button>
      ))}
    </Empty>
  );
}

function waysOut({ variables, parts, words }: Asked, params: Params): Way[] {
  const typed = (filter: string, isNot = false) => parts.filter((part) => (part.filter === filter || (isNot && part.isNot)) && part.isNot === isNot).reduce((text, part) => text.replace(part.typed, ''), params.q ?? '').trim() || undefined;
  return [
    ...(variables.types?.length ? [{ word: 'the types', without: { types: [] }, to: { type: undefined, q: typed('type') } }] : []),
    ...(variables.sources?.length ? [{ word: 'the sources', without: { sources: [] }, to: { source: undefined, q: typed('source') } }] : []),
    ...(variables.notTypes?.length || variables.notSources?.length ? [{ word: 'leaving out types and sources', without: { notTypes: [], notSources: [] }, to: { notType: undefined, notSource: undefined, q: typed('type', true) } }] : []),
    ...(variables.classifications?.length ? [{ word: 'the classification', without: { classifications: [] }, to: { class: undefined, q: typed('class') } }] : []),
    ...(variables.since || variables.before ? [{ word: 'the dates', without: { since: null, before: null }, to: { from: undefined, to: undefined, q: typed('after') } }] : []),
    ...(variables.form ? [{ word: variables.form === 'ENTITY' ? 'looking among entities alone' : 'looking among relations alone', without: { form: null }, to: { form: 'all' as const } }] : []),
    ...(!variables.includeRevoked && words ? [{ word: 'leaving out what was revoked', without: { includeRevoked: true }, to: { revoked: true as const } }] : []),
  ];
}
