/** Work that several wait for at once, such as the building of an image. */
export type SharedWork = {
  /**
   * Joins the work under way, or starts it. The work goes on when one who waits gives up.
   * Rejects with the signal's reason when aborted, or as the work does.
   */
  join(onProgress: (text: string) => void, signal: AbortSignal): Promise<void>;
};

/** `work` runs at most once at a time; what it reports goes to all who wait. */
export function sharedWork(work: (onProgress: (text: string) => void) => Promise<void>): SharedWork {
  const listeners = new Set<(text: string) => void>();
  let running: Promise<void> | undefined;
  return {
    join: async (onProgress, signal) => {
      listeners.add(onProgress);
      running ??= work((text) => listeners.forEach((listener) => listener(text))).finally(() => (running = undefined));
      try {
        await unlessAborted(running, signal);
      } finally {
        listeners.delete(onProgress);
      }
    },
  };
}

/** Settles as `promise` does, or rejects with the signal's reason if that comes first. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
