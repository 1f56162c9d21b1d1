import type { ReactNode } from 'react';

import styles from './gauge.module.css';

/** What is measured, side by side. */
export function Gauges({ children }: { children: ReactNode }) {
  return <dl className={styles.gauges}>{children}</dl>;
}

/** A number, what it is called, and what it means. */
export function Gauge({ name, value, tone, children }: { name: string; value: ReactNode; tone?: 'warn' | 'bad'; children: ReactNode }) {
  return (
    <div className={styles.gauge} data-tone={tone}>
      <dt>{name}</dt>
      <dd className={styles.value}>{value ?? <span aria-label="not known yet">–</span>}</dd>
      <dd className={styles.means}>{children}</dd>
    </div>
  );
}

const [WIDTH, HEIGHT] = [120, 28];

/** How a number went, oldest on the left; the line below is 0. */
export function Course({ of, label }: { of: number[]; label: string }) {
  const top = Math.max(...of, 1e-9);
  const step = WIDTH / Math.max(1, of.length - 1);
  const points = of.map((value, index) => `${(index * step).toFixed(1)},${(HEIGHT - 1 - (value / top) * (HEIGHT - 3)).toFixed(1)}`);
  return (
    <svg className={styles.course} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <line x1={0} x2={WIDTH} y1={HEIGHT - 1} y2={HEIGHT - 1} />
      {of.length > 1 && <polyline points={points.join(' ')} />}
    </svg>
  );
}
