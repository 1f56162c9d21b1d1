// What each weight is worth, as a line; words alone and meaning alone are level lines beside it. The same stands in a table below it.

import { useEffect, useId, useRef, useState } from 'react';

import styles from './curve.module.css';
import { aloneOf, curveOf, ticks } from './tuned.ts';
import type { Measures, Run } from './tuning.ts';

/** Places, in pixels. */
const HEIGHT = 280;
const [TOP, RIGHT, BOTTOM, LEFT] = [28, 20, 44, 52];
const WIDTH_MIN = 280;
const STEPS = [0, 0.2, 0.4, 0.6, 0.8, 1];

export function Curve({ runs, measure, says, now, best, chosen, onChoose }: {
  runs: Run[]; measure: keyof Measures; says: string; now: number; best: number; chosen: number; onChoose: (weight: number) => void;
}) {
  const [width, box] = useWidth();
  const name = useId();
  const curve = curveOf(runs);
  // Each has its label at the end of the curve that is the other's: there they meet neither it nor each other.
  const alone = [['Words alone', true, aloneOf(runs, 'keyword')], ['Meaning alone', false, aloneOf(runs, 'vector')]] as const;
  const axis = ticks([...curve, ...alone.flatMap(([, , run]) => run ?? [])].map((run) => run[measure]));
  const [low, high] = [axis[0]!, axis.at(-1)!];
  const x = (weight: number) => LEFT + weight * (width - LEFT - RIGHT);
  const y = (worth: number) => TOP + (1 - (worth - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const worthAt = (weight: number) => curve.find((run) => run.weight === weight)?.[measure];
  const lines = alone.flatMap(([word, isLeft, run]) => (run ? [{ word, isLeft, worth: run[measure] }] : []));
  return (
    <div ref={box} className={styles.curve}>
      <svg width={width} height={HEIGHT} role="img" aria-labelledby={`${name}-title ${name}-says`}>
        <title id={`${name}-title`}>{says}</title>
        <desc id={`${name}-says`}>{described(curve, measure, lines, now, best)}</desc>
        <g aria-hidden>
          {axis.map((worth) => (
            <g key={worth} className={styles.grid}>
              <line x1={LEFT} x2={width - RIGHT} y1={y(worth)} y2={y(worth)} />
              <text x={LEFT - 8} y={y(worth)} dy="0.35em" textAnchor="end">{worth.toFixed(high - low < 0.02 ? 3 : 2)}</text>
            </g>
          ))}
          {STEPS.map((weight) => <text key={weight} className={styles.step} x={x(weight)} y={HEIGHT - BOTTOM + 18} textAnchor="middle">{weight}</text>)}
          <text className={styles.end} x={LEFT} y={HEIGHT - 8}>← meaning</text>
          <text className={styles.end} x={width - RIGHT} y={HEIGHT - 8} textAnchor="end">words →</text>
          <g className={styles.now}>
            <line x1={x(now)} x2={x(now)} y1={TOP} y2={HEIGHT - BOTTOM} />
            <text x={x(now)} y={TOP - 12} textAnchor={anchor(now)}>now {now}</text>
          </g>
          {lines.map(({ word, worth }) => <line key={word} className={styles.alone} data-of={word} x1={LEFT} x2={width - RIGHT} y1={y(worth)} y2={y(worth)} />)}
          <polyline className={styles.line} points={curve.map((run) => `${x(run.weight)},${y(run[measure])}`).join(' ')} />
          {curve.map((run) => <circle key={run.weight} className={styles.dot} data-best={run.weight === best || undefined} cx={x(run.weight)} cy={y(run[measure])} r={run.weight === best ? 6 : 3.5} />)}
          {worthAt(chosen) !== undefined && <circle className={styles.chosen} cx={x(chosen)} cy={y(worthAt(chosen)!)} r={10} />}
          {lines.map(({ word, worth, isLeft }) => <text key={word} className={styles.word} x={isLeft ? LEFT + 6 : width - RIGHT - 6} y={y(worth) - 6} textAnchor={isLeft ? 'start' : 'end'}>{word} {worth.toFixed(3)}</text>)}
          {curve.map((run) => <rect key={run.weight} className={styles.choose} x={x(run.weight) - (width - LEFT - RIGHT) / 20} width={(width - LEFT - RIGHT) / 10} y={TOP} height={HEIGHT - TOP - BOTTOM} onClick={() => onChoose(run.weight)}><title>{`${run.weight}: ${run[measure].toFixed(4)}`}</title></rect>)}
        </g>
      </svg>
      <p className={styles.key} aria-hidden><span data-is="best" /> best <span data-is="chosen" /> chosen below</p>
    </div>
  );
}

/** The width of an element, as it is now and becomes. */
function useWidth(): [number, React.RefObject<HTMLDivElement | null>] {
  const [width, setWidth] = useState(WIDTH_MIN);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(WIDTH_MIN, Math.floor(entry!.contentRect.width))));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  return [width, box];
}

const anchor = (weight: number) => (weight < 0.1 ? 'start' : weight > 0.9 ? 'end' : 'middle');

/** The curve in words. */
function described(curve: Run[], measure: keyof Measures, lines: { word: string; worth: number }[], now: number, best: number): string {
  const at = (weight: number) => curve.find((run) => run.weight === weight)?.[measure].toFixed(3) ?? 'not tried';
  const ends = curve.length ? `From ${curve[0]![measure].toFixed(3)} at weight ${curve[0]!.weight} to ${curve.at(-1)![measure].toFixed(3)} at weight ${curve.at(-1)!.weight}. ` : '';
  const alone = lines.map(({ word, worth }) => `${word}: ${worth.toFixed(3)}.`).join(' ');
  return `${ends}Best by nDCG@10 at ${best}: ${at(best)}. Now ${now}: ${at(now)}. ${alone}`;
}
