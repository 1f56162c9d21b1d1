import { useOperation } from '../gateway/use.ts';
import { Page, Section } from '../shell/page.tsx';
import { Empty, Loaded, Partial } from '../shell/states.tsx';

const SHOWN_MAX = 100;

export function SourcesPage() {
  const asked = useOperation('sources:v1', { first: SHOWN_MAX });
  return (
    <Page title="Sources" lead="Who says what is in here, and on which terms.">
      <Loaded asked={asked}>
        {({ sources }) => sources.edges.length === 0
          ? (
            <Empty title="No source yet" cli="intelgraph import FILE --format stix --source NAME --purpose threat-intel --licence Open-Data-OK">
              A source is made by its first import, with the terms that its data carry.
            </Empty>
          )
          : (
            <Section title="Declared sources">
              {sources.pageInfo.hasNextPage && <Partial shown={sources.edges.length} what="sources" />}
              <table>
                <thead><tr><th>Name</th><th>Classification</th><th>Licence</th><th>Purposes</th><th>Kept</th><th>Personal data</th></tr></thead>
                <tbody>
                  {sources.edges.map(({ node }) => (
                    <tr key={node.name}>
                      <td>{node.name}</td>
                      <td>{node.classification}</td>
                      <td>{node.licence}</td>
                      <td>{node.purposes.join(', ')}</td>
                      <td>{node.retention}</td>
                      <td>{node.personal ? 'yes' : 'no'}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Section>
          )}
      </Loaded>
    </Page>
  );
}
