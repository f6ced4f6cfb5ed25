import * as z from "zod/mini";
import { BYTES_CHANNEL } from "./frames.ts";

/** Ids name files in the sandbox: nothing but these characters. */
const Id = z.string().check(z.regex(/^[A-Za-z0-9_.-]{1,128}$/));
const Channel = z.int().check(z.positive(), z.maximum(BYTES_CHANNEL - 1));

/** A side may have this many bytes of one channel under way; `channel.credit` says that the other read some. */
export const CHANNEL_WINDOW_BYTES = 1024 * 1024;

/** Of one message of live output, as base64. */
const MAX_OUTPUT_CHARACTERS = 512 * 1024;

const ChannelCredit = z.strictObject({
  type: z.literal("channel.credit"),
  channel: Channel,
  bytes: z.int().check(z.positive()),
});

/**
 * JSON messages of channel 0. The server is the client: it says `hello` first, whichever side dialled.
 *
 * Calls: `call` with an id that sandboxd does not know starts the operation; with one that it knows it attaches to
 * that call, so sending twice runs once. With `keep`, the outcome is held until `ack`, across connections; without,
 * it is forgotten once sent. A call outlives the connection that sent it.
 */
export const ToSandboxd = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("hello"), protocol: z.number(), token: z.string() }),
  z.strictObject({
    type: z.literal("call"),
    id: Id,
    operation: z.string(),
    args: z.json(),
    /** The frame on `BYTES_CHANNEL` that came before is its argument `data`. */
    bytes: z.optional(z.boolean()),
    keep: z.boolean(),
    /** First byte of the call's output to send as `output`; absent: send none. */
    outputFrom: z.optional(z.int().check(z.nonnegative())),
  }),
  z.strictObject({ type: z.literal("cancel"), id: Id }),
  z.strictObject({ type: z.literal("ack"), ids: z.array(Id) }),
  z.strictObject({ type: z.literal("status"), id: Id }),
  /** A stream that sandboxd asked for with `channel.open` is over, or refused, with a sentence. */
  z.strictObject({ type: z.literal("channel.close"), channel: Channel, reason: z.optional(z.string()) }),
  ChannelCredit,
  z.strictObject({ type: z.literal("ping"), id: Id }),
]);
export type ToSandboxd = z.infer<typeof ToSandboxd>;

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
    channel: Channel,
    kind: z.enum(["egress", "port"]),
    ticket: z.optional(z.string()),
  }),
  z.object({ type: z.literal("channel.close"), channel: Channel }),
  ChannelCredit,
  z.object({ type: z.literal("pong"), id: Id }),
]);
export type FromSandboxd = z.infer<typeof FromSandboxd>;
