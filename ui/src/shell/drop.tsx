import { FileUp } from 'lucide-react';
import { type DragEvent, type ReactNode, useState } from 'react';

import styles from './drop.module.css';

/** Where a file is dropped, or chosen. */
export function Drop({ label, onFile, children }: { label: string; onFile: (file: File) => void; children: ReactNode }) {
  const [isOver, setOver] = useState(false);
  const take = (file: File | undefined) => file && onFile(file);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files[0]);
  };
  return (
    <label className={styles.drop} data-over={isOver || undefined} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}>
      <FileUp size={18} aria-hidden />
      <span>{children}</span>
      <input type="file" aria-label={label} onChange={(event) => { take(event.target.files?.[0]); event.target.value = ''; }} />
    </label>
  );
}
