import * as z from "zod/mini";
import { ChannelCredit, ChannelId, Id } from "./message-parts.ts";

/** Of one message of live output, as base64. */
const MAX_OUTPUT_CHARACTERS = 512 * 1024;

/** `code` is a row of the error table; an unknown one (a newer sandboxd) is read as `internal`. */
export const WireError = z.object({
  code: z.string(),
  message: z.string(),
  /** By name: texts, numbers, truth values. */
  details: z.custom<Readonly<Record<string, unknown>>>((details) => typeof details === "object" && details !== null),
});

export const WireOutcome = z.discriminatedUnion("ok", [
  /** JSON; the operation tells which. */
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({ ok: z.literal(false), error: WireError }),
]);
export type WireOutcome = z.infer<typeof WireOutcome>;

export const FromSandboxd = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("welcome"),
    protocol: z.number(),
    version: z.string(),
    /** Random for each start of sandboxd: another `bootId` knows nothing of earlier calls. */
    bootId: z.string(),
    workspace: z.string(),
    user: z.string(),
    shell: z.string(),
    git: z.boolean(),
  }),
  z.object({ type: z.literal("refused"), code: z.string(), message: z.string() }),
  /** Live output of a call; `data` is base64 of raw terminal bytes that begin at `offset` of that call's output. */
  z.object({
    type: z.literal("output"),
    id: Id,
    offset: z.int().check(z.nonnegative()),
    data: z.string().check(z.maxLength(MAX_OUTPUT_CHARACTERS)),
  }),
  z.object({ type: z.literal("ended"), id: Id, outcome: WireOutcome }),
  z.object({ type: z.literal("status"), id: Id, state: z.enum(["unknown", "running", "ended"]) }),
  /**
   * Raw bytes on `channel` are a connection. `egress`: a program in the sandbox wants the network, and speaks to the
   * proxy. `port`: one that `port.connect` asked for with this ticket.
   */
  z.object({
    type: z.literal("channel.open"),
    channel: ChannelId,
    kind: z.enum(["egress", "port"]),
    ticket: z.optional(z.string()),
  }),
  z.object({ type: z.literal("channel.close"), channel: ChannelId }),
  ChannelCredit,
  z.object({ type: z.literal("pong"), id: Id }),
]);
export type FromSandboxd = z.infer<typeof FromSandboxd>;
