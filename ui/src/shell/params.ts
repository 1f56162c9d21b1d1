// What stands behind the `?` of an address: each part is looked over, and what is not known is left out, and said.

export type Raw = Record<string, string | string[]>;
type Read<T> = (raw: string[]) => T | undefined;

const dropped = new Set<string>();

/** What stood in the address by which the app was opened, until it is asked for. */
let entered = globalThis.location ? new URLSearchParams(location.search) : null;

/** Names of what was left out of the address, of which that is the search. The router tries addresses of other pages, too: what they left out says nothing of this one. */
export function takeDropped(search: string): string[] {
  const stands = entered ?? new URLSearchParams(search);
  const names = [...dropped].filter((name) => stands.has(name));
  entered = null;
  dropped.clear();
  return names;
}

/** Validates an address's parameters by a reader for each. */
export function params<R extends Record<string, Read<unknown>>>(readers: R) {
  type Params = { [K in keyof R]?: R[K] extends Read<infer T> ? T : never };
  return (raw: Record<string, unknown>): Params => {
    for (const name of Object.keys(raw)) if (!(name in readers)) dropped.add(name);
    const read = Object.entries(readers).map(([name, reader]) => {
      const values = [raw[name]].flat().filter((value) => value !== undefined).map(String);
      const value = values.length ? reader(values) : undefined;
      if (values.length && value === undefined) dropped.add(name);
      return [name, value];
    });
    return Object.fromEntries(read.filter(([, value]) => value !== undefined)) as Params;
  };
}

export const text = (max: number): Read<string> => ([value]) => (value && value.length <= max ? value : undefined);
export const oneOf = <T extends string>(...words: T[]): Read<T> => ([value]) => words.find((word) => word === value);
export const texts = (max: number, most: number): Read<string[]> => (values) => {
  const good = values.filter((value) => value && value.length <= max).slice(0, most);
  return good.length ? good : undefined;
};
/** A whole number from 0 to a most. */
export const upTo = (most: number): Read<number> => ([value]) => (value && /^\d{1,9}$/.test(value) && Number(value) <= most ? Number(value) : undefined);
/** A day, or a moment with its zone. */
export const time: Read<string> = ([value]) => {
  const ok = value && /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(value) && !Number.isNaN(Date.parse(value));
  return ok ? value : undefined;
};
/** Written as `1`; what was read once is read again as `true`. */
export const flag: Read<true> = ([value]) => (value === '1' || value === 'true' ? true : undefined);

/** `?a=1&a=2&b=x`, and nothing cleverer. */
export function parseSearch(search: string): Raw {
  const found: Raw = {};
  for (const [name, value] of new URLSearchParams(search)) {
    const before = found[name];
    found[name] = before === undefined ? value : [before, value].flat();
  }
  return found;
}

export function stringifySearch(search: Record<string, unknown>): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    for (const one of [value].flat()) if (one !== undefined && one !== '' && one !== false) pairs.append(name, one === true ? '1' : String(one));
  }
  const written = pairs.toString();
  return written && `?${written}`;
}
