import type { ConversationState } from "@handrail/protocol/conversation-state";
import { describeCall } from "./describe-call.ts";
import { formatClock } from "./format.ts";
import type { LiveFragments } from "./live-fragments.ts";

/** The last failed attempt of the open step. */
export type LastRetry = { readonly maxAttempts: number; readonly errorCode: string } | null;

/** What a run waits for now, in words; empty when nothing is under way or the model's text is coming in. */
export function awaited(state: ConversationState, live: LiveFragments, retry: LastRetry, nowMs: number): string {
  const { run } = state;
  if (run === null) return "";
  if (live.progress !== "") return live.progress;
  if (run.step !== null) {
    if (live.text.text !== "" || live.calls.length > 0) return "";
    const waited = clock(nowMs - run.step.startedAt);
    const again = retry === null ? "" : `, attempt ${run.step.attempt} of ${retry.maxAttempts} after ${reason(retry)}`;
    return live.reasoning.text === "" ? `Waiting for the model, ${waited}${again}` : `The model is thinking, ${waited}`;
  }
  const running = state.calls.find((call) => call.started !== null);
  if (running?.started == null) return "";
  const line = describeCall({ ...running, state: "running", errorCode: undefined, data: {} });
  return `${line.verb} ${shorten(line.object)}, ${clock(nowMs - running.started.at)}`;
}

const REASONS: Readonly<Record<string, string>> = {
  model_rate_limited: "a rate limit",
  model_overloaded: "an overload",
  model_stream_broken: "a broken stream",
  model_timeout: "a timeout",
  model_unreachable: "no connection",
};

const reason = (retry: NonNullable<LastRetry>) => REASONS[retry.errorCode] ?? retry.errorCode.replaceAll("_", " ");
const clock = (durationMs: number) => formatClock(Math.max(1000, durationMs));
const shorten = (text: string) => {
  const line = text.split("\n")[0] ?? "";
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
};
