import { Eye } from 'lucide-react';

import { seeAsOneself, useLesser } from '../gateway/see-as.ts';
import { Button } from './button.tsx';
import styles from './lesser.module.css';

/** Says that a page is seen as somebody else, and leads back. */
export function LesserStrip() {
  const lesser = useLesser();
  if (!lesser) return null;
  return (
    <div className={styles.strip} role="status">
      <Eye size={16} aria-hidden />
      <span>You see what a <b>{lesser.role}</b> sees: <b>{lesser.clearance}</b> data, for <b>{lesser.purposes.join(', ')}</b>. The node answers you as it answers them.</span>
      <Button onPress={() => void seeAsOneself()}>Back to yourself</Button>
    </div>
  );
}
