import { z } from "zod";
import { AskId, ConversationId, OwnerId, RuleId } from "./ids.ts";
import { RuleScope } from "./network-events.ts";
import { NetworkPreset, RequestRule } from "./network.ts";
import { Empty, type Route } from "./route.ts";

/**
 * What is allowed beside the rules of single conversations: for all of a user's conversations (`owner`), for those on
 * one repository, or for all of a team's. `repository` is its address in the one form that they are compared in.
 */
export const StoredRule = z.object({
  ruleId: RuleId,
  scope: RuleScope,
  repository: z.string().optional(),
  teamId: OwnerId.optional(),
  presets: z.array(NetworkPreset).max(16),
  hosts: z.array(z.string().min(1).max(253)).max(256),
  requests: z.array(RequestRule).max(256),
  createdAt: z.number(),
});
export type StoredRule = z.infer<typeof StoredRule>;

/** Rules for the network that are stored, and what users say to asks. */
export const NETWORK_ROUTES = {
  networkRules: {
    method: "GET",
    path: "/api/network-rules",
    access: "session",
    summary: "What sandboxes of the user and of the user's teams may reach beside the rules of their conversations",
    response: z.object({ rules: z.array(StoredRule) }),
    status: 200,
  },
  addNetworkRule: {
    method: "POST",
    path: "/api/network-rules",
    access: "session",
    summary: "Allow hosts or requests for all conversations, for those on one repository, or for a team's",
    body: z.strictObject({
      scope: RuleScope,
      /** The address or folder as conversations name it; with scope `repository` only. */
      repository: z.string().min(1).max(4096).optional(),
      /** With scope `team` only. */
      teamId: OwnerId.optional(),
      presets: StoredRule.shape.presets.optional(),
      hosts: StoredRule.shape.hosts.optional(),
      requests: StoredRule.shape.requests.optional(),
    }),
    response: StoredRule,
    status: 201,
  },
  removeNetworkRule: {
    method: "DELETE",
    path: "/api/network-rules/:ruleId",
    access: "session",
    summary: "Allow it no longer; holds from the next request",
    params: z.strictObject({ ruleId: RuleId }),
    response: Empty,
    status: 200,
  },
  answerAsk: {
    method: "POST",
    path: "/api/conversations/:id/network/asks/:askId",
    access: "session",
    summary: "Say whether the sandbox may reach what it asked for",
    params: z.strictObject({ id: ConversationId, askId: AskId }),
    body: z.strictObject({
      answer: z.enum(["once", "here", "always", "deny"]),
      /** For `always`; `owner` when absent. `team` is the conversation's. */
      scope: RuleScope.optional(),
    }),
    response: Empty,
    status: 200,
  },
} as const satisfies Record<string, Route>;
