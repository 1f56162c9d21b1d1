import { CircleUser, Eye, LogOut } from 'lucide-react';
import { Dialog, DialogTrigger } from 'react-aria-components/Dialog';
import { Popover } from 'react-aria-components/Popover';

import { seeAsReader } from '../gateway/see-as.ts';
import { signOut } from '../gateway/session.ts';
import { queries } from '../gateway/use.ts';
import { Button, IconButton } from './button.tsx';
import styles from './account.module.css';
import { useSession } from './gate.tsx';
import menu from './menu.module.css';
import { Time } from './time.tsx';

/** Who is signed in, until when, and the way out. */
export function Account() {
  const session = useSession();
  const leave = async () => {
    await signOut();
    await queries.invalidateQueries({ queryKey: ['session'] });
  };
  return (
    <DialogTrigger>
      <IconButton label={`Signed in as ${session.role}`}><CircleUser size={20} strokeWidth={1.75} /></IconButton>
      <Popover className={`${menu.popover} ${menu.card}`} placement="bottom end">
        <Dialog aria-label="Signed in" className={styles.account}>
          <p className={styles.role}>{session.role}</p>
          <dl>
            <dt>Tenant</dt><dd>{session.tenant}</dd>
            <dt>Clearance</dt><dd>{session.clearance}</dd>
            <dt>Purposes</dt><dd>{session.purposes.join(', ')}</dd>
            <dt>Token</dt><dd><code>{session.token}</code></dd>
            <dt>Ends</dt><dd><Time at={session.expires_at} ago /></dd>
          </dl>
          {session.actions.includes('token.manage') && <Button onPress={() => void seeAsReader(session.purposes)}><Eye size={14} aria-hidden /> See as a public reader</Button>}
          <Button onPress={() => void leave()}><LogOut size={14} aria-hidden /> Sign out</Button>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
