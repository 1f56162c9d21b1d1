import { X } from 'lucide-react';
import { useState } from 'react';
import { Dialog } from 'react-aria-components/Dialog';
import { Heading } from 'react-aria-components/Heading';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';

import { IconButton } from './button.tsx';
import styles from './help.module.css';
import { areOff, known, switchOff } from './keys.ts';

/** The keys that can be pressed where one is. */
export function Help({ onClose }: { onClose: () => void }) {
  const [parts] = useState(known);
  const [off, setOff] = useState(areOff);
  return (
    <ModalOverlay isOpen isDismissable onOpenChange={(open) => !open && onClose()} className={styles.over}>
      <Modal className={styles.modal}>
        <Dialog className={styles.dialog}>
          <header>
            <Heading slot="title">Keys</Heading>
            <IconButton label="Close" onPress={onClose}><X size={16} /></IconButton>
          </header>
          <div className={styles.parts}>
            {parts.map(({ name, keys }) => (
              <section key={name}>
                <h3>{name}</h3>
                <dl>
                  {keys.map(({ key, does }) => (
                    <div key={key}>
                      <dt>{key.split(' ').map((one) => <kbd key={one}>{named(one)}</kbd>)}</dt>
                      <dd>{does}</dd>
                    </div>
                  ))}
                </dl>
              </section>
            ))}
          </div>
          <label className={styles.off}>
            <input type="checkbox" checked={off} onChange={(event) => { setOff(event.target.checked); switchOff(event.target.checked); }} />
            Single keys are off in this browser
          </label>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

const NAMES: Record<string, string> = { ArrowDown: '↓', ArrowUp: '↑', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc' };

const named = (key: string) => NAMES[key] ?? (key.startsWith('Ctrl-') ? `Ctrl ${key.slice(5).toUpperCase()}` : key);
