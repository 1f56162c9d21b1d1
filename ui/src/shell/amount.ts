// Amounts as people read them: with their unit, and no more digits than they need.

const UNITS: [string, number][] = [['TB', 1e12], ['GB', 1e9], ['MB', 1e6], ['kB', 1e3]];

/** Bytes, in units of a thousand. */
export function bytes(amount: number): string {
  const unit = UNITS.find(([, size]) => amount >= size);
  return unit ? `${short(amount / unit[1])} ${unit[0]}` : `${Math.round(amount)} bytes`;
}

export function count(amount: number): string {
  return amount.toLocaleString('en');
}

/** `3 rows`, `1 row`. */
export function counted(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

/** A length of time, given in seconds. */
export function duration(seconds: number): string {
  if (seconds < 0.001) return '0 ms';
  if (seconds < 1) return `${short(seconds * 1000)} ms`;
  if (seconds < 60) return `${short(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

const short = (amount: number) => (amount < 10 ? String(Math.round(amount * 10) / 10) : count(Math.round(amount)));
