import type { LimitState } from "../ports/limits.ts";
import type { Call } from "./call.ts";
import type { Core } from "./core.ts";

/** What every answer of a call that was let through says of it. */
export function answerHeaders(core: Core, call: Call, limits: readonly LimitState[]): Record<string, string> {
  const { deployment, answer, groupName, retries, fallbacks } = call.progress;
  const headers: Record<string, string> = {
    "x-litellm-call-id": call.id,
    "x-litellm-model-group": headerText(groupName),
    "x-litellm-attempted-retries": String(retries),
    "x-litellm-attempted-fallbacks": String(fallbacks),
  };
  if (deployment) headers["x-litellm-model-id"] = headerText(deployment.id);
  if (answer) headers["x-handrail-lane"] = answer.lane;
  if (answer && answer.warnings.length > 0) headers["x-handrail-warnings"] = headerText(answer.warnings.join(" "));
  if (keepsBodies(core, call)) headers["x-handrail-bodies"] = "kept";
  const now = core.now();
  addLimit(headers, limits, { kind: "requests", now });
  addLimit(headers, limits, { kind: "tokens", now });
  return headers;
}

/** Whether this call's request and answer are written to disk. */
export const keepsBodies = ({ bodies }: Core, { asked }: Call): boolean => bodies !== undefined && !asked.unseen;

/** Names that are put together anew for every call would cost more than all else here. */
const LIMIT_NAMES = {
  requests: {
    limit: "x-ratelimit-limit-requests",
    remaining: "x-ratelimit-remaining-requests",
    reset: "x-ratelimit-reset-requests",
  },
  tokens: {
    limit: "x-ratelimit-limit-tokens",
    remaining: "x-ratelimit-remaining-tokens",
    reset: "x-ratelimit-reset-tokens",
  },
} as const;

type Told = { readonly kind: keyof typeof LIMIT_NAMES; readonly now: number };

/** Of all limits of a kind, the one with the least room. */
function addLimit(headers: Record<string, string>, limits: readonly LimitState[], { kind, now }: Told): void {
  let tightest: LimitState | undefined;
  for (const state of limits) {
    if (state.kind === kind && !(tightest && tightest.remaining <= state.remaining)) tightest = state;
  }
  if (tightest === undefined) return;
  const names = LIMIT_NAMES[kind];
  const resetMs = Math.max(0, (tightest.resetAt ?? now) - now);
  headers[names.limit] = String(tightest.limit);
  headers[names.remaining] = String(Math.max(0, Math.floor(tightest.remaining)));
  headers[names.reset] = `${Math.ceil(resetMs / 1000)}s`;
}

const MAX_CHARACTERS = 1000;
const PLAIN = /^[\t\x20-\x7e]{0,1000}$/;

/** Text that a header can hold. */
export const headerText = (text: string) =>
  PLAIN.test(text) ? text : text.replace(/[^\t\x20-\x7e]+/g, "?").slice(0, MAX_CHARACTERS);
