import * as z from "zod/mini";
import { BYTES_CHANNEL } from "./frames.ts";

/** Ids name files in the sandbox: nothing but these characters. */
export const Id = z.string().check(z.regex(/^[A-Za-z0-9_.-]{1,128}$/));
export const ChannelId = z.int().check(z.positive(), z.maximum(BYTES_CHANNEL - 1));

export const ChannelCredit = z.strictObject({
  type: z.literal("channel.credit"),
  channel: ChannelId,
  bytes: z.int().check(z.positive()),
});
