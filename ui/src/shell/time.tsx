const DAY = new Intl.DateTimeFormat('en-CA', { dateStyle: 'short', timeZone: 'UTC' });
const AGO = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [['year', 31_536_000], ['month', 2_592_000], ['day', 86_400], ['hour', 3_600], ['minute', 60]];

/** A moment: its day, or how long ago it was; the whole of it on pointing. Times are UTC. */
export function Time({ at, ago = false }: { at: string | null | undefined; ago?: boolean }) {
  if (!at) return <span>never</span>;
  return <time dateTime={at} title={at.replace('T', ' ')}>{ago ? sinceThen(at) : dayOf(at)}</time>;
}

export function dayOf(at: string): string {
  return DAY.format(new Date(at));
}

function sinceThen(at: string): string {
  const seconds = (Date.parse(at) - Date.now()) / 1000;
  const unit = UNITS.find(([, length]) => Math.abs(seconds) >= length);
  return unit ? AGO.format(Math.round(seconds / unit[1]), unit[0]) : 'just now';
}
