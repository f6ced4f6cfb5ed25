import type { NetworkRequest } from "@handrail/protocol/network-events";
import { describeReason } from "@handrail/protocol/network-reasons";

/** What came of a request. `failed`: it was allowed, and did not come through. `detail` says why, in words. */
export type RequestOutcome = { readonly outcome: "allowed" | "refused" | "failed"; readonly detail: string };

/** How a request of the sandbox reads in the list. */
export function describeOutcome({ allowed, rule, reason }: NetworkRequest): RequestOutcome {
  if (!allowed) return { outcome: "refused", detail: reason === undefined ? "" : describeReason(reason) };
  if (reason !== undefined) return { outcome: "failed", detail: describeReason(reason) };
  return { outcome: "allowed", detail: rule === undefined ? "" : (RULES[rule] ?? `by the rule ${rule}`) };
}

/** What lets requests through beside written rules. */
const RULES: Readonly<Record<string, string>> = {
  once: "once, by the user",
  repository: "as the repository's host",
  "kinds of request": "request by request",
};
