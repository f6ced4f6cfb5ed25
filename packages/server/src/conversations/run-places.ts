/** Places for runs that go on at the same time; the rest wait in the order in which they came. */
export type RunPlaces = {
  /**
   * Resolves with the way to give the place back. An aborted signal ends the wait without a place: what is left to do
   * is only to write that the run is over.
   */
  take(signal: AbortSignal, onWait: (ahead: number) => void): Promise<() => void>;
  readonly taken: number;
  readonly waiting: number;
};

export function runPlaces(max: number): RunPlaces {
  const queue: (() => void)[] = [];
  let taken = 0;
  const release = () => {
    taken -= 1;
    queue.shift()?.();
  };
  const occupy = () => {
    taken += 1;
    return once(release);
  };
  return {
    async take(signal, onWait) {
      if (taken < max) return occupy();
      if (signal.aborted) return () => undefined;
      onWait(queue.length);
      return new Promise((resolve) => {
        const enter = () => {
          signal.removeEventListener("abort", give);
          resolve(occupy());
        };
        const give = () => {
          queue.splice(queue.indexOf(enter), 1);
          resolve(() => undefined);
        };
        queue.push(enter);
        signal.addEventListener("abort", give, { once: true });
      });
    },
    get taken() {
      return taken;
    },
    get waiting() {
      return queue.length;
    },
  };
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
