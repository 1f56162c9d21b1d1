// What stands behind the `?` of an address: each part is looked over, and what is not known is dropped and said.

export type Raw = Record<string, string | string[]>;
type Read<T> = (raw: string[]) => T | undefined;

const dropped = new Set<string>();

/** Names and values of the address that were not understood, since the last time this was asked. */
export function takeDropped(): string[] {
  const names = [...dropped];
  dropped.clear();
  return names;
}

/** Validates an address's parameters by a reader for each. */
export function params<R extends Record<string, Read<unknown>>>(readers: R) {
  type Params = { [K in keyof R]?: R[K] extends Read<infer T> ? T : never };
  return (raw: Record<string, unknown>): Params => {
    const read = Object.entries(readers).map(([name, reader]) => {
      const values = [raw[name]].flat().filter((value) => value !== undefined).map(String);
      const value = values.length ? reader(values) : undefined;
      if (values.length && value === undefined) dropped.add(name);
      return [name, value];
    });
    return Object.fromEntries(read.filter(([, value]) => value !== undefined)) as Params;
  };
}

/** Names that no page knows. */
export function dropUnknown(raw: Record<string, unknown>, known: Record<string, unknown>) {
  for (const name of Object.keys(raw)) if (!(name in known)) dropped.add(name);
}

export const text = (max: number): Read<string> => ([value]) => (value && value.length <= max ? value : undefined);
export const oneOf = <T extends string>(...words: T[]): Read<T> => ([value]) => words.find((word) => word === value);
export const texts = (max: number, most: number): Read<string[]> => (values) => {
  const good = values.filter((value) => value && value.length <= max).slice(0, most);
  return good.length ? good : undefined;
};
/** A day, or a moment with its zone. */
export const time: Read<string> = ([value]) => {
  const ok = value && /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(value) && !Number.isNaN(Date.parse(value));
  return ok ? value : undefined;
};
export const flag: Read<true> = ([value]) => (value === '1' ? true : undefined);

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
