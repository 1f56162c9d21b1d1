// Keys: each part of a page says which it knows, the newest part first. None is taken while somebody types.

import { useEffect, useRef } from 'react';

export interface Key {
  /** As `KeyboardEvent.key` names it; two with a space between are pressed one after the other. */
  key: string;
  /** What it does, for the list of keys. */
  does: string;
  run: (event: KeyboardEvent) => void;
  /** Taken while somebody types, too. */
  always?: boolean;
}

interface Layer {
  name: string;
  keys: Key[];
}

const layers: { current: Layer }[] = [];
const OFF = 'intelgraph.keys-off';
/** The second key of a pair comes within this, in milliseconds. */
const PAIR_MS = 1_200;

/** Whether single keys are taken at all (WCAG 2.1.4 wants that they can be switched off). */
export const areOff = () => localStorage.getItem(OFF) === '1';
export const switchOff = (off: boolean) => localStorage.setItem(OFF, off ? '1' : '0');

/** Takes keys while the component is there. */
export function useKeys(name: string, keys: Key[]) {
  const layer = useRef<Layer>({ name, keys });
  layer.current = { name, keys };
  useEffect(() => {
    layers.push(layer);
    return () => void layers.splice(layers.indexOf(layer), 1);
  }, []);
}

/** What can be pressed now, part by part. */
export function known(): Layer[] {
  const names = [...new Set(layers.map((layer) => layer.current.name))];
  const keysOf = (name: string) => layers.flatMap((layer) => (layer.current.name === name ? layer.current.keys : []));
  return names.map((name) => ({ name, keys: keysOf(name) })).filter((layer) => layer.keys.length > 0);
}

let first: { key: string; at: number } | null = null;

function pressed(event: KeyboardEvent) {
  if (event.defaultPrevented || event.altKey || event.isComposing) return;
  const plain = event.key === ' ' ? 'Space' : event.key;
  const name = event.ctrlKey || event.metaKey ? `Ctrl-${plain.toLowerCase()}` : plain;
  const pair = first && event.timeStamp - first.at < PAIR_MS ? `${first.key} ${name}` : null;
  first = null;
  const all = layers.toReversed().flatMap((layer) => layer.current.keys);
  const find = (wanted: string | null) => all.find((key) => key.key === wanted && isTaken(key, name, event));
  const found = find(pair) ?? find(name);
  if (found) {
    event.preventDefault();
    found.run(event);
  } else if (all.some((key) => key.key.startsWith(`${name} `) && isTaken(key, name, event))) {
    first = { key: name, at: event.timeStamp };
  }
}

function isTaken(key: Key, name: string, event: KeyboardEvent): boolean {
  if (key.always) return true;
  if (areOff() && name.length === 1) return false;
  const target = event.target as HTMLElement;
  if (target.isContentEditable || target.closest('input:not([type="checkbox"]), textarea, select, [role="menu"], [role="listbox"], [role="dialog"]')) return false;
  // A button, a link or a box that is focused has Enter and Space for itself.
  return !((name === 'Enter' || name === 'Space') && target.closest('button, a, summary, input, [role="tab"]'));
}

window.addEventListener('keydown', pressed);
