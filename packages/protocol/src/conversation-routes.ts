import { z } from "zod";
import { BlobRef, ContentPart, ImageMediaType } from "./content.ts";
import { StoredEvent } from "./events.ts";
import { ConversationId, MessageId, OwnerId } from "./ids.ts";
import { Limits } from "./limits.ts";
import { Empty, OneConversation, type Route } from "./route.ts";
import { NetworkRule, SandboxChoice, WorkspaceSource } from "./sources.ts";
import { SetupChoice } from "./setup.ts";
import { ConversationSummary } from "./summary.ts";

const Content = z.array(ContentPart).min(1).max(64);

/** Conversations, their events and messages. */
export const CONVERSATION_ROUTES = {
  conversations: {
    method: "GET",
    path: "/api/conversations",
    access: "session",
    summary: "The user's conversations, latest first",
    query: z.strictObject({
      search: z.string().max(200).optional(),
      archived: z.enum(["true", "false"]).optional(),
      /** As `next` of the page before. */
      after: z.string().max(200).optional(),
      limit: z.coerce.number().int().min(1).max(200).optional(),
    }),
    response: z.object({ conversations: z.array(ConversationSummary), next: z.string().nullable() }),
    status: 200,
  },
  createConversation: {
    method: "POST",
    path: "/api/conversations",
    access: "session",
    summary: "Create a conversation; with content, start its first run",
    body: z.strictObject({
      source: WorkspaceSource,
      sandbox: SandboxChoice.partial().optional(),
      model: z.string().min(1).max(256).optional(),
      title: z.string().min(1).max(200).optional(),
      /** A team of the user's, whose rules, secrets and budget then hold. */
      teamId: OwnerId.optional(),
      limits: Limits.optional(),
      runLimits: Limits.optional(),
      /** Absent: the repository's own script, if it has one. */
      setup: SetupChoice.optional(),
      content: Content.optional(),
    }),
    response: ConversationSummary,
    status: 201,
  },
  conversation: {
    method: "GET",
    path: "/api/conversations/:id",
    access: "session",
    summary: "One conversation",
    params: OneConversation,
    response: ConversationSummary,
    status: 200,
  },
  changeConversation: {
    method: "PATCH",
    path: "/api/conversations/:id",
    access: "session",
    summary: "Rename, archive, or change settings",
    params: OneConversation,
    body: z.strictObject({
      title: z.string().trim().min(1).max(200).optional(),
      archived: z.boolean().optional(),
      model: z.string().min(1).max(256).optional(),
      limits: Limits.optional(),
      runLimits: Limits.optional(),
      network: NetworkRule.optional(),
    }),
    response: ConversationSummary,
    status: 200,
  },
  deleteConversation: {
    method: "DELETE",
    path: "/api/conversations/:id",
    access: "session",
    summary: "Delete a conversation, its sandbox and its workspace for good",
    params: OneConversation,
    response: Empty,
    status: 200,
  },
  events: {
    method: "GET",
    path: "/api/conversations/:id/events",
    access: "session",
    summary: "Events after a number, in order",
    params: OneConversation,
    query: z.strictObject({
      after: z.coerce.number().int().min(-1).max(Number.MAX_SAFE_INTEGER).optional(),
      limit: z.coerce.number().int().min(1).max(5000).optional(),
    }),
    response: z.object({ events: z.array(StoredEvent), head: z.number().int() }),
    status: 200,
  },
  addMessage: {
    method: "POST",
    path: "/api/conversations/:id/messages",
    access: "session",
    summary: "Say something: starts a run, or is read by the one under way at its next step",
    params: OneConversation,
    body: z.strictObject({ messageId: MessageId.optional(), content: Content, runLimits: Limits.optional() }),
    response: z.object({ messageId: MessageId, seq: z.number().int() }),
    status: 202,
  },
  stopRun: {
    method: "POST",
    path: "/api/conversations/:id/stop",
    access: "session",
    summary: "Stop the run: cancel the model call and kill the command",
    params: OneConversation,
    response: Empty,
    status: 202,
  },
  continueRun: {
    method: "POST",
    path: "/api/conversations/:id/continue",
    access: "session",
    summary: "Go on after a stop, a limit or a failure",
    params: OneConversation,
    body: z.strictObject({ runLimits: Limits.optional() }).optional(),
    response: Empty,
    status: 202,
  },

  uploadBlob: {
    method: "POST",
    path: "/api/blobs",
    access: "session",
    summary: "Keep an image for a message; the body is its base64",
    body: z.strictObject({ mediaType: ImageMediaType, data: z.base64().max(14_000_000) }),
    response: z.object({ blob: BlobRef, mediaType: ImageMediaType }),
    status: 201,
  },
  blob: {
    method: "GET",
    path: "/api/conversations/:id/blobs/:ref",
    access: "session",
    summary: "An image of a conversation",
    params: z.strictObject({ id: ConversationId, ref: BlobRef }),
    status: 200,
  },
} as const satisfies Record<string, Route>;
