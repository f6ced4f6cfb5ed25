import { z } from "zod";
import { AskId } from "./ids.ts";

const Port = z.number().int().min(0).max(65_535);
const Count = z.number().int().nonnegative();

/** A request that no rule allows: the user is asked whether it may go. `reason` is the broker's code for the refusal. */
export const NetworkAsked = z.strictObject({
  type: z.literal("network.asked"),
  askId: AskId,
  host: z.string(),
  port: Port,
  method: z.string(),
  path: z.string().optional(),
  reason: z.string(),
});

/** Whose stored rules an answer adds to. */
export const RuleScope = z.enum(["repository", "owner", "team"]);
export type RuleScope = z.infer<typeof RuleScope>;

/**
 * What the user said: `once` lets this through, `here` everything like it in this conversation, `always` stores a rule
 * (`scope` says where), `deny` refuses it. `expired`: nobody answered for a day.
 */
export const NetworkAnswered = z.strictObject({
  type: z.literal("network.answered"),
  askId: AskId,
  answer: z.enum(["once", "here", "always", "deny", "expired"]),
  scope: RuleScope.optional(),
});

/**
 * One outward request that is over, or `count` like it summed into one. `at` is when it came (Unix milliseconds). `path`
 * has no query, and is there only where it was seen. Bytes are those on the connection to the host. `rule` names what let
 * it through; `reason` is the code of why it was refused or failed, or `cut`: it was under way when the server was killed.
 */
export const NetworkRequest = z.strictObject({
  at: z.number(),
  method: z.string(),
  host: z.string(),
  port: Port,
  path: z.string().optional(),
  bytesUp: Count,
  bytesDown: Count,
  durationMs: z.number().nonnegative(),
  allowed: z.boolean(),
  rule: z.string().optional(),
  reason: z.string().optional(),
  /** Names of the secrets that were put into it. */
  secrets: z.array(z.string()).optional(),
  count: z.number().int().min(2).optional(),
});
export type NetworkRequest = z.infer<typeof NetworkRequest>;

/** Requests of the sandbox, in the order in which they ended. Never in a prompt. */
export const NetworkRecorded = z.strictObject({
  type: z.literal("network.recorded"),
  requests: z.array(NetworkRequest).min(1),
  /** All requests up to this number of this file of a server are in the log now: after a crash they are not written again. */
  spooled: z.strictObject({ spool: z.string(), upTo: Count }).optional(),
});

/** A limit of network use was reached, and requests are refused. Written at most once a minute for each limit. */
export const NetworkLimited = z.strictObject({
  type: z.literal("network.limited"),
  limit: z.enum(["bytes", "requestsPerMinute", "connections"]),
  max: z.number().positive(),
});
