/** Time, as a port, so that tests decide it. */
export type Clock = {
  /** Unix time in milliseconds. */
  now(): number;
  /** @throws the signal's reason when aborted */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
};

/** A number in [0, 1), as `Math.random`. */
export type Random = () => number;
