import { AppError } from "@handrail/protocol/errors";

/** Milliseconds without a byte: before the first one, and between any two later ones. */
export type Timeouts = { readonly firstByteMs: number; readonly betweenMs: number };

export const DEFAULT_TIMEOUTS: Timeouts = { firstByteMs: 120_000, betweenMs: 60_000 };

/** A signal that also aborts when nothing comes for too long. Whoever makes one calls `end`. */
export type IdleWatch = {
  readonly signal: AbortSignal;
  /** Something came. */
  touch(): void;
  /** What to throw in place of `thrown`: the caller's own reason or the timeout where one of them is behind it. */
  reason(thrown: unknown): unknown;
  /** Stops the clock, and whatever still runs on the signal. */
  end(): void;
};

/** Watches one answer of `model`. */
export function idleWatch(caller: AbortSignal, model: string, timeouts: Timeouts): IdleWatch {
  const own = new AbortController();
  let timeout: AppError | undefined;
  const expire = (ms: number) => () => {
    timeout = new AppError("model_timeout", `The model sent nothing for ${Math.ceil(ms / 1000)} seconds.`, { model });
    own.abort(timeout);
  };
  let timer = setTimeout(expire(timeouts.firstByteMs), timeouts.firstByteMs);
  let touched = false;
  return {
    signal: AbortSignal.any([caller, own.signal]),
    touch() {
      if (touched) {
        timer.refresh();
        return;
      }
      touched = true;
      clearTimeout(timer);
      timer = setTimeout(expire(timeouts.betweenMs), timeouts.betweenMs);
    },
    reason(thrown) {
      if (caller.aborted) return caller.reason;
      return timeout ?? thrown;
    },
    end() {
      clearTimeout(timer);
      own.abort();
    },
  };
}
