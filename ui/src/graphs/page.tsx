import { Waypoints } from 'lucide-react';

import { Page } from '../shell/page.tsx';
import { Empty } from '../shell/states.tsx';

export function GraphsPage() {
  return (
    <Page title="Graphs" lead="Working graphs: what you put together, with your notes, for whom you share it with.">
      <Empty title="No graph yet" icon={Waypoints}>Open an entity and press Graph to begin one with it.</Empty>
    </Page>
  );
}
