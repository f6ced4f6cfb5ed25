import { check, type Allowed, type AskedRequest, type Rules } from "./allow-list.ts";
import { literalRefusal, type Reach } from "./find-addresses.ts";
import type { Refusal, RefusalCode } from "./refusal.ts";
import type { Traffic } from "./traffic.ts";

/** How a conversation stands now. `bytesUsed`: what its log says it used of the network, in both directions. */
export type Standing = { readonly rules: Rules; readonly bytesUsed: number };

/** A request that no rule allows, and that a person may allow. */
export type Question = { readonly conversationId: string; readonly asked: AskedRequest; readonly refusal: Refusal };

export type AuthoriseSettings = Reach & {
  /** Asked at each request, so that a change takes effect at once. */
  readonly lookUp: (conversationId: string) => Promise<Standing>;
  /** Holds the request until the user has said something, or as long as it may be held. Aborted when the client goes. */
  readonly askUser: (question: Question, signal: AbortSignal) => Promise<Allowed | Refusal>;
  readonly traffic: Traffic;
};

/** Said of what a person let through this one time. */
export const ONCE: Allowed = { allowedBy: "once" };

/** Said of a connection that is opened because only some kinds of request are allowed: each of them is asked for. */
export const BY_REQUEST: Allowed = { allowedBy: "kinds of request" };

/**
 * Whether a request may go: by the limits, by the rules as they are now, and then by what the user says, who is not asked for
 * what no answer makes reachable. `opened`: the
 * requests within this connection will be seen.
 */
export async function authorise(
  conversationId: string,
  { opened = false, ...asked }: AskedRequest & { readonly opened?: boolean },
  { lookUp, askUser, traffic, ...reach }: AuthoriseSettings,
  signal: AbortSignal,
): Promise<Allowed | Refusal> {
  const { rules, bytesUsed } = await lookUp(conversationId);
  const limited = traffic.request(conversationId, bytesUsed);
  if (limited !== undefined) return limited;
  const decision = check(rules, asked);
  if ("allowedBy" in decision || !ASKABLE.has(decision.code)) return decision;
  if (decision.code === "request_unseen" && opened) return BY_REQUEST;
  const never = literalRefusal(asked.host, reach);
  if (never !== undefined) return never;
  return askUser({ conversationId, asked, refusal: decision }, signal);
}

const ASKABLE: ReadonlySet<RefusalCode> = new Set([
  "host_not_allowed",
  "port_not_allowed",
  "request_not_allowed",
  "request_unseen",
]);
