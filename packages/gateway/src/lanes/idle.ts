import { AppError } from "@handrail/protocol/errors";
import type { Deployment } from "../ports/deployment.ts";

/** Ends a call that takes too long, or is silent for too long. `signal` also aborts when the caller's does. */
export type Idle = {
  readonly signal: AbortSignal;
  touch(): void;
  end(): void;
};

/** Limits of a deployment: for the whole call, and for silence where its answer is streamed. */
export function idleLimit(deployment: Deployment, signal: AbortSignal, streamed: boolean): Idle {
  const own = new AbortController();
  const timeoutMs = deployment.timeoutMs ?? 600_000;
  const silentMs = streamed ? (deployment.streamTimeoutMs ?? 120_000) : timeoutMs;
  const late = () => own.abort(new AppError("model_timeout", "The model did not answer in time."));
  const whole = setTimeout(late, timeoutMs);
  const silence = setTimeout(late, silentMs);
  return {
    signal: AbortSignal.any([signal, own.signal]),
    touch: () => silence.refresh(),
    end() {
      clearTimeout(whole);
      clearTimeout(silence);
    },
  };
}
