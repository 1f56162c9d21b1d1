import { useOperation } from '../gateway/use.ts';
import { CopyButton } from '../shell/copy.tsx';
import { useMay } from '../shell/gate.tsx';
import { Page, Pairs, Section } from '../shell/page.tsx';
import { Empty, Loaded } from '../shell/states.tsx';

export function EvidencePage() {
  return (
    <Page title="Evidence" lead="The ledger: everything recorded, in a form that others can check without trusting this node.">
      {useMay('ledger.export')
        ? <Checkpoint />
        : <Empty title="Receipts are with what they prove">Open an entity, and its tab Provenance, to check that what is said of it is in the ledger.</Empty>}
    </Page>
  );
}

function Checkpoint() {
  const asked = useOperation('ledgerCheckpoint:v1', {});
  return (
    <Section title="Checkpoint" note="Signed by this node">
      <Loaded asked={asked}>
        {({ ledgerCheckpoint: { origin, size, root, vkey } }) => (
          <Pairs of={[
            ['Origin', <code key="origin">{origin}</code>],
            ['Records', size.toLocaleString('en')],
            ['Root', <code key="root">{root}</code>],
            ['Key', <span key="key"><code>{vkey}</code> <CopyButton text={vkey} what="key" /></span>],
          ]} />
        )}
      </Loaded>
    </Section>
  );
}
