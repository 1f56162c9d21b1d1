import { Play } from 'lucide-react';

import { Button } from '../shell/button.tsx';
import styles from './offer.module.css';
import { change, useTour } from './state.ts';
import { useSteps } from './steps.ts';

/** Offers the guided five minutes where its data are. */
export function TourOffer() {
  const { isOpen, done } = useTour();
  const steps = useSteps();
  if (isOpen || steps.length === 0) return null;
  return (
    <section className={styles.offer}>
      <div>
        <h2>Five minutes with MITRE ATT&amp;CK</h2>
        <p>Three searches, one entity, one path, one receipt, and what a lesser reader sees of it.</p>
      </div>
      <Button main onPress={() => change({ isOpen: true })}><Play size={14} aria-hidden /> {done.length ? 'Go on' : 'Begin'}</Button>
    </section>
  );
}
