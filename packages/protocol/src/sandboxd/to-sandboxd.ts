import * as z from "zod/mini";
import { ChannelCredit, ChannelId, Id } from "./message-parts.ts";

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
  z.strictObject({ type: z.literal("channel.close"), channel: ChannelId, reason: z.optional(z.string()) }),
  ChannelCredit,
  z.strictObject({ type: z.literal("ping"), id: Id }),
]);
export type ToSandboxd = z.infer<typeof ToSandboxd>;
