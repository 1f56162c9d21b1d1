import { useEffect, useRef, useState } from 'react';

import { type Data, run } from '../gateway/run.ts';
import { Button } from '../shell/button.tsx';
import { useSession } from '../shell/gate.tsx';
import { Failed } from '../shell/states.tsx';
import { Time } from '../shell/time.tsx';
import { Secret } from './secret.tsx';

/** A link that signs another browser in as whoever made it, once. */
export function SignInLink({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const [link, setLink] = useState<Data<'tokenLink:v1'>['tokenLink'] | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const asked = useRef(false);
  const make = () => {
    setError(null);
    run('tokenLink:v1', {}).then(({ data }) => setLink(data.tokenLink), setError);
  };
  useEffect(() => {
    // Each is a new one: it is made once, however often React looks.
    if (!asked.current) make();
    asked.current = true;
  }, []);
  if (error) return <><Failed error={error} onRetry={make} /><Button onPress={onClose}>Close</Button></>;
  if (!link) return null;
  return (
    <Secret title="A link to sign in" secret={link.url} what="link" onClose={onClose} uses={[]}
      says={<>It signs a browser in as you ({session.role}, {session.clearance}), once, and ends <Time at={link.expiresAt} ago />. For somebody else make a token first, and a link with that.</>} />
  );
}
