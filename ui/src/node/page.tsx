import { useOperation } from '../gateway/use.ts';
import { Page, Pairs, Section } from '../shell/page.tsx';
import { Loaded, Withheld } from '../shell/states.tsx';

/** The node is asked again so often, in milliseconds. */
const EVERY_MS = 5_000;

export function NodePage() {
  const asked = useOperation('node:v1', {}, { every: EVERY_MS });
  return (
    <Page title="Node" lead="What holds this tenant’s data, and how far what follows the log has come.">
      <Loaded asked={asked}>
        {({ node }) => (
          <>
            <Section title="Log and tenant">
              <Pairs of={[
                ['Version', node.version],
                ['Tenant', node.tenant],
                ['Last record', node.lsn.toLocaleString('en')],
                ['Entities', node.entities?.toLocaleString('en') ?? <Withheld />],
                ['Relations', node.relations?.toLocaleString('en') ?? <Withheld />],
              ]} />
            </Section>
            <Section title="Followers" note="Indexes that are made from the log, and can be made again">
              <table>
                <thead><tr><th>Name</th><th>State</th><th>Position</th><th>Behind by</th></tr></thead>
                <tbody>
                  {node.followers.map((follower) => (
                    <tr key={follower.name}>
                      <td>{follower.name}</td>
                      <td>{follower.state}</td>
                      <td>{follower.lsn.toLocaleString('en')}</td>
                      <td>{(node.lsn - follower.lsn).toLocaleString('en')} records</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  );
}
