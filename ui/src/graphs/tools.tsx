import {
  Combine, Download, EyeOff, Maximize, Minimize2, Pin, Plus, Redo2, Route, Share2, Table2, Undo2, Waypoints, WandSparkles, ZoomIn, ZoomOut,
} from 'lucide-react';
import { MenuTrigger } from 'react-aria-components/Menu';

import { Button, IconButton } from '../shell/button.tsx';
import { MenuList } from '../shell/menu.tsx';
import type { Adding } from './adding.tsx';
import { exported, kept } from './exporting.ts';
import { type Bench, hideChosen, pathBetween } from './keys.ts';
import styles from './tools.module.css';

const PICTURE = { id: 'png', word: 'Picture (PNG)' };
const FILES = [{ id: 'svg', word: 'Drawing (SVG)' }, { id: 'json', word: 'Data (JSON)' }];

/** Every step as a button, with its key. */
export function Tools(bench: Bench & { adding: Adding }) {
  const { doing, chosen, expand, drawing, shows, show, adding, scene } = bench;
  const { focus, things } = chosen;
  const isPast = doing.isPast;
  const none = focus === null || isPast;
  const allPinned = [...things].every((id) => doing.graph.things.get(id)?.pinned);
  return (
    <div className={styles.tools} role="toolbar" aria-label="Graph">
      <div className={styles.group}>
        <IconButton label="Add things" onPress={adding.open} isDisabled={isPast}><Plus size={16} /></IconButton>
        <IconButton label="Expand (e)" onPress={() => focus && expand(focus)} isDisabled={none}><Share2 size={16} /></IconButton>
        <IconButton label="Collapse (x)" onPress={() => focus && doing.collapse(focus)} isDisabled={none}><Minimize2 size={16} /></IconButton>
        <IconButton label="Path between two (p)" onPress={() => void pathBetween(bench)} isDisabled={things.size !== 2 || isPast}><Route size={16} /></IconButton>
        <IconButton label="Hide (h)" onPress={() => hideChosen(bench)} isDisabled={things.size === 0 || isPast}><EyeOff size={16} /></IconButton>
        <IconButton label={allPinned && things.size > 0 ? 'Unpin' : 'Pin where it is'} onPress={() => doing.pin(things, !allPinned)} isDisabled={things.size === 0 || isPast}><Pin size={16} /></IconButton>
      </div>
      <div className={styles.group}>
        <IconButton label="Undo (z)" onPress={doing.undo} isDisabled={doing.work.past.length === 0 || isPast}><Undo2 size={16} /></IconButton>
        <IconButton label="Redo (Z)" onPress={doing.redo} isDisabled={doing.work.future.length === 0 || isPast}><Redo2 size={16} /></IconButton>
      </div>
      <div className={styles.group}>
        <IconButton label="Arrange anew" onPress={() => void doing.arrange().then(() => drawing.current?.fit())} isDisabled={scene.things.length === 0 || isPast}><WandSparkles size={16} /></IconButton>
        <IconButton label="Group ends by type" onPress={doing.group} isDisabled={scene.things.length === 0 || isPast}><Combine size={16} /></IconButton>
      </div>
      {shows === 'graph' && (
        <div className={styles.group}>
          <IconButton label="Fit all in (f)" onPress={() => drawing.current?.fit()}><Maximize size={16} /></IconButton>
          <IconButton label="Nearer (+)" onPress={() => drawing.current?.nearer(1.4)}><ZoomIn size={16} /></IconButton>
          <IconButton label="Farther (-)" onPress={() => drawing.current?.nearer(1 / 1.4)}><ZoomOut size={16} /></IconButton>
        </div>
      )}
      <div className={styles.group}>
        <Button onPress={() => show(shows === 'graph' ? 'table' : 'graph')}>
          {shows === 'graph' ? <><Table2 size={14} aria-hidden /> Table</> : <><Waypoints size={14} aria-hidden /> Graph</>}
        </Button>
        <MenuTrigger>
          <Button isDisabled={scene.things.length === 0}><Download size={14} aria-hidden /> Export</Button>
          <MenuList
            items={shows === 'graph' ? [PICTURE, ...FILES] : FILES}
            onPick={(to) => {
              if (to === 'png') void drawing.current?.picture().then((picture) => picture && kept(picture, 'graph.png'));
              else exported(to as 'svg' | 'json', doing.graph, scene);
            }}
          />
        </MenuTrigger>
      </div>
    </div>
  );
}
