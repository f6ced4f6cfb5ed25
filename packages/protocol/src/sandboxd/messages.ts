import { z } from "zod";

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
    id: z.string(),
    operation: z.string(),
    args: z.json(),
    keep: z.boolean(),
    /** First byte of the call's output to send as `output`; absent: send none. */
    outputFrom: z.number().int().nonnegative().optional(),
  }),
  z.strictObject({ type: z.literal("cancel"), id: z.string() }),
  z.strictObject({ type: z.literal("ack"), ids: z.array(z.string()) }),
  z.strictObject({ type: z.literal("status"), id: z.string() }),
  /** A stream that sandboxd asked for with `channel.open` is over, or refused, with a sentence. */
  z.strictObject({ type: z.literal("channel.close"), channel: z.number(), reason: z.string().optional() }),
  z.strictObject({ type: z.literal("ping"), id: z.string() }),
]);
export type ToSandboxd = z.infer<typeof ToSandboxd>;

/** `code` is a row of the error table; an unknown one (a newer sandboxd) is read as `internal`. */
export const WireError = z.object({
  code: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});

export const WireOutcome = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), result: z.json() }),
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
  z.object({ type: z.literal("output"), id: z.string(), offset: z.number(), data: z.string() }),
  z.object({ type: z.literal("ended"), id: z.string(), outcome: WireOutcome }),
  z.object({ type: z.literal("status"), id: z.string(), state: z.enum(["unknown", "running", "ended"]) }),
  /** A program in the sandbox wants the network: raw bytes on `channel` are its connection to the proxy. */
  z.object({ type: z.literal("channel.open"), channel: z.number(), kind: z.literal("egress") }),
  z.object({ type: z.literal("channel.close"), channel: z.number() }),
  z.object({ type: z.literal("pong"), id: z.string() }),
]);
export type FromSandboxd = z.infer<typeof FromSandboxd>;
