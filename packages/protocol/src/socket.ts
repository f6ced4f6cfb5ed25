import { z } from "zod";
import { Delta } from "./deltas.ts";
import { StoredEvent } from "./events.ts";
import { ConversationId } from "./ids.ts";
import { ConversationSummary } from "./summary.ts";

/** The WebSocket at `/api/socket`. Text frames of JSON. One socket serves any number of conversations. */
export const ToServer = z.discriminatedUnion("type", [
  /**
   * Events with `seq` above `after` follow, then new ones as they come, without gap or repeat. `attended`: a person
   * looks, who can answer what the conversation asks.
   */
  z.strictObject({
    type: z.literal("subscribe"),
    conversationId: ConversationId,
    after: z.number().int().min(-1),
    attended: z.boolean().optional(),
  }),
  z.strictObject({ type: z.literal("unsubscribe"), conversationId: ConversationId }),
  /** Watch a terminal from a byte offset of its output (0: as far back as is kept). */
  z.strictObject({
    type: z.literal("terminal.open"),
    conversationId: ConversationId,
    terminal: z.string(),
    offset: z.number().int().min(0),
    columns: z.number().int().min(2).max(1000),
    rows: z.number().int().min(1).max(1000),
  }),
  z.strictObject({
    type: z.literal("terminal.type"),
    conversationId: ConversationId,
    terminal: z.string(),
    /** Base64. */
    data: z.string().max(1_000_000),
  }),
  z.strictObject({
    type: z.literal("terminal.resize"),
    conversationId: ConversationId,
    terminal: z.string(),
    columns: z.number().int().min(2).max(1000),
    rows: z.number().int().min(1).max(1000),
  }),
  z.strictObject({ type: z.literal("terminal.close"), conversationId: ConversationId, terminal: z.string() }),
  z.strictObject({ type: z.literal("ping") }),
]);
export type ToServer = z.infer<typeof ToServer>;

export const FromServer = z.discriminatedUnion("type", [
  z.object({ type: z.literal("welcome"), version: z.string() }),
  z.object({ type: z.literal("events"), conversationId: z.string(), events: z.array(StoredEvent) }),
  z.object({ type: z.literal("delta"), conversationId: z.string(), delta: Delta }),
  /** A row of the list changed; `null`: it is gone. */
  z.object({ type: z.literal("summary"), conversationId: z.string(), summary: ConversationSummary.nullable() }),
  z.object({
    type: z.literal("terminal.output"),
    conversationId: z.string(),
    terminal: z.string(),
    offset: z.number(),
    data: z.string(),
  }),
  z.object({
    type: z.literal("terminal.closed"),
    conversationId: z.string(),
    terminal: z.string(),
    reason: z.string(),
  }),
  /** Something asked for on this socket failed; `conversationId` says for what, where it is known. */
  z.object({
    type: z.literal("error"),
    code: z.string(),
    message: z.string(),
    conversationId: z.string().optional(),
  }),
  z.object({ type: z.literal("pong") }),
]);
export type FromServer = z.infer<typeof FromServer>;

/** How the server closes a socket (RFC 6455 §7.4.2 leaves 4000 to 4999 to applications). */
export const SOCKET_CLOSE = { notSignedIn: 4001, tooSlow: 4002, badMessage: 4003, goingAway: 1001 } as const;
