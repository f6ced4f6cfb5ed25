type Defined<T> = { -readonly [K in keyof T]?: Exclude<T[K], undefined> };

/** The same without the fields that are undefined. */
export function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}
