/** A promise with its ends: one wait for many waiters. */
export type Deferred<Value> = { readonly promise: Promise<Value>; readonly resolve: (value: Value) => void };

export function deferred<Value = void>(): Deferred<Value> {
  const { promise, resolve } = Promise.withResolvers<Value>();
  return { promise, resolve };
}

/** Whether `promise` settled within the time, and before the signal said to stop. */
export async function within(promise: Promise<unknown>, ms: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted === true) return false;
  let timer: NodeJS.Timeout | undefined;
  let stop: () => void = () => {};
  const over = new Promise<boolean>((resolve) => {
    stop = () => resolve(false);
    timer = setTimeout(stop, ms);
    signal?.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([promise.then(() => true), over]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}
