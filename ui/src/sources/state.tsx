import { Check, CircleAlert, LoaderCircle, PauseCircle } from 'lucide-react';

import { Badge } from '../shell/badge.tsx';

const LOOKS: Record<string, ['plain' | 'busy' | 'warn' | 'bad', typeof Check, string]> = {
  running: ['busy', LoaderCircle, 'It is being read'],
  complete: ['plain', Check, 'Everything that was not refused is in'],
  failed: ['bad', CircleAlert, 'It ended before its end; what was read stands'],
  interrupted: ['warn', PauseCircle, 'The node stopped in between; what was durable stands'],
};

/** How an import is, or how it ended. */
export function RunState({ of }: { of: string }) {
  const [tone, Icon, means] = LOOKS[of] ?? ['plain', Check, of];
  return <Badge tone={tone} title={means}><Icon size={12} aria-hidden /> {of}</Badge>;
}
