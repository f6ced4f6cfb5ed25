import type { LimitKind, LimitState } from "../ports/books.ts";
import type { Call } from "./call.ts";
import type { Core } from "./core.ts";

/** What every answer of a call that was let through says of it. */
export function answerHeaders(core: Core, call: Call, limits: readonly LimitState[]): Record<string, string> {
  const { deployment, answer, groupName, retries, fallbacks } = call.progress;
  const now = core.now();
  return {
    "x-litellm-call-id": call.id,
    "x-litellm-model-group": headerText(groupName),
    "x-litellm-attempted-retries": String(retries),
    "x-litellm-attempted-fallbacks": String(fallbacks),
    ...(deployment && { "x-litellm-model-id": headerText(deployment.id) }),
    ...(answer && { "x-handrail-lane": answer.lane }),
    ...(answer && answer.warnings.length > 0 && { "x-handrail-warnings": headerText(answer.warnings.join(" ")) }),
    ...(keepsBodies(core, call) && { "x-handrail-bodies": "kept" }),
    ...limitHeaders("requests", limits, now),
    ...limitHeaders("tokens", limits, now),
  };
}

/** Whether this call's request and answer are written to disk. */
export const keepsBodies = ({ bodies }: Core, { asked }: Call): boolean => bodies !== undefined && !asked.unseen;

/** Of all limits of a kind, the one with the least room. */
function limitHeaders(kind: LimitKind, limits: readonly LimitState[], now: number): Record<string, string> {
  const own = limits.filter((state) => state.kind === kind);
  const [first, ...others] = own;
  if (first === undefined) return {};
  const tightest = others.reduce((least, state) => (state.remaining < least.remaining ? state : least), first);
  const resetMs = Math.max(0, (tightest.resetAt ?? now) - now);
  return {
    [`x-ratelimit-limit-${kind}`]: String(tightest.limit),
    [`x-ratelimit-remaining-${kind}`]: String(Math.max(0, Math.floor(tightest.remaining))),
    [`x-ratelimit-reset-${kind}`]: `${Math.ceil(resetMs / 1000)}s`,
  };
}

const MAX_CHARACTERS = 1000;

/** Text that a header can hold. */
export const headerText = (text: string) => text.replace(/[^\t\x20-\x7e]+/g, "?").slice(0, MAX_CHARACTERS);
