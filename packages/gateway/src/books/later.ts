import { AppError } from "@handrail/protocol/errors";

/** Something that is made when it is first asked for. */
export type Later<Value> = {
  /** Undefined until it is made. */
  now(): Value | undefined;
  /**
   * What could not be made is tried again the next time.
   * @throws AppError `storage_failed` after the end, and what making it throws
   */
  get(): Promise<Value>;
  /** Nothing is made from now on. Gives what was made, for whoever closes it. */
  end(): Promise<Value | undefined>;
};

export function later<Value>(make: () => Promise<Value>): Later<Value> {
  let making: Promise<Value> | undefined;
  let made: Value | undefined;
  let ended = false;
  const start = async () => {
    try {
      made = await make();
      return made;
    } catch (thrown) {
      making = undefined;
      throw thrown;
    }
  };
  return {
    now: () => (ended ? undefined : made),
    async get() {
      if (ended) throw new AppError("storage_failed", "The books are closed.");
      making ??= start();
      return await making;
    },
    async end() {
      ended = true;
      return await making?.catch(() => undefined);
    },
  };
}
