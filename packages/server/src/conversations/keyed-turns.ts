/** Work that is done one after another for each key, and at the same time for different keys. */
export type KeyedTurns = <Result>(key: string, work: () => Promise<Result>) => Promise<Result>;

export function keyedTurns(): KeyedTurns {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const result = (last.get(key) ?? Promise.resolve()).then(work, work);
    const settled = result.then(
      () => undefined,
      () => undefined,
    );
    last.set(key, settled);
    settled.then(
      () => {
        if (last.get(key) === settled) last.delete(key);
      },
      () => undefined,
    );
    return result;
  };
}
