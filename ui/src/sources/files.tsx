import { FileUp, X } from 'lucide-react';
import { type DragEvent, useState } from 'react';

import { bytes, counted } from '../shell/amount.ts';
import { IconButton } from '../shell/button.tsx';
import styles from './files.module.css';

const FILES_MAX = 100;

/** The files of an import: dropped, or chosen. All are of one format, and one import. */
export function Files({ files, onChange, error }: { files: File[]; onChange: (files: File[]) => void; error?: string }) {
  const [isOver, setOver] = useState(false);
  const add = (found: FileList | null) => found?.length && onChange([...files, ...found].slice(0, FILES_MAX));
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    add(event.dataTransfer.files);
  };
  const total = files.reduce((sum, { size }) => sum + size, 0);
  return (
    <div className={styles.files}>
      <label className={styles.drop} data-over={isOver || undefined} data-wrong={error ? true : undefined}
        onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}>
        <FileUp size={24} strokeWidth={1.5} aria-hidden />
        <b>{files.length ? 'Drop more files, or choose them' : 'Drop a file here, or choose one'}</b>
        <span>JSONL, STIX 2.1 or CSV; gzip and zstd are unpacked on the node</span>
        <input type="file" multiple aria-label="Files" aria-describedby={error ? 'files-says' : undefined} onChange={(event) => { add(event.target.files); event.target.value = ''; }} />
      </label>
      {error && <p id="files-says" className={styles.error}>{error}</p>}
      {files.length > 0 && (
        <>
          <ul aria-label="Chosen files">
            {files.map((file, index) => (
              <li key={`${file.name} ${index}`}>
                <span>{file.name}</span><span>{bytes(file.size)}</span>
                <IconButton label={`Take out ${file.name}`} onPress={() => onChange(files.filter((_, other) => other !== index))}><X size={14} /></IconButton>
              </li>
            ))}
          </ul>
          {files.length > 1 && <p>{counted(files.length, 'file')}, {bytes(total)}: one import, in which an object may come before those it refers to.</p>}
        </>
      )}
    </div>
  );
}
