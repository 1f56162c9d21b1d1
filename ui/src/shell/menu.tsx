import type { LucideIcon } from 'lucide-react';
import { Menu, MenuItem } from 'react-aria-components/Menu';
import { Popover } from 'react-aria-components/Popover';

import styles from './menu.module.css';

export interface Choice {
  id: string;
  word: string;
  icon?: LucideIcon;
}

/** The list of a menu; it stands in a `MenuTrigger`, behind its button. */
export function MenuList({ items, onPick }: { items: Choice[]; onPick: (id: string) => void }) {
  return (
    <Popover className={styles.popover} placement="bottom end">
      <Menu className={styles.menu} onAction={(key) => onPick(String(key))}>
        {items.map(({ id, word, icon: Icon }) => (
          <MenuItem key={id} id={id} className={styles.item} textValue={word}>{Icon && <Icon size={16} aria-hidden />}{word}</MenuItem>
        ))}
      </Menu>
    </Popover>
  );
}
