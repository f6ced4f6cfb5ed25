/** After Redis did not answer in time, nobody asks for so long. */
export const REST_MS = 1000;

/** Bounds every question, and asks none for a while after one was not answered. */
export type RedisGuard = {
  /** Undefined where there was no answer. Never rejects. */
  readonly ask: <Value>(work: () => Promise<Value>) => Promise<Value | undefined>;
  readonly failed: (thrown: unknown) => void;
  /** Undefined when the last question was answered. */
  readonly trouble: () => string | undefined;
};

/** `what` begins the sentence of `trouble`: what Redis is used for. */
export function redisGuard(what: string, withinMs: number): RedisGuard {
  let restingUntil = -Infinity;
  let trouble: string | undefined;
  const failed = (thrown: unknown): void => {
    restingUntil = performance.now() + REST_MS;
    trouble = `${what} in Redis does not answer: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  };
  return {
    failed,
    trouble: () => trouble,
    async ask(work) {
      if (performance.now() < restingUntil) return undefined;
      try {
        const value = await soon(work(), withinMs);
        trouble = undefined;
        return value;
      } catch (thrown) {
        failed(thrown);
        return undefined;
      }
    },
  };
}

async function soon<Value>(work: Promise<Value>, withinMs: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${withinMs} ms`)), withinMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
