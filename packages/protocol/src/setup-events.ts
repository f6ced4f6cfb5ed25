import { z } from "zod";
import { CallId } from "./ids.ts";
import { ReusedSetup, SetupOrigin } from "./setup.ts";

/**
 * A new workspace is being set up: the command went to the sandbox under this id. Another `setup.started` after one
 * that has not ended means that its sandbox went, or that it was interrupted.
 */
export const SetupStarted = z.strictObject({
  type: z.literal("setup.started"),
  callId: CallId,
  bootId: z.string(),
  command: z.string(),
  origin: SetupOrigin,
});

/**
 * How the set-up ended; the conversation goes on in any case. `limited`: it took too long and was killed. `cancelled`: it
 * was interrupted, and is tried again when the sandbox is needed. `reused`: an earlier result was put into the
 * workspace, and nothing ran. `output` is what it printed, the middle cut when it was long. `kept`: later
 * conversations on the repository start with its result; `notKept` says why not.
 */
export const SetupEnded = z.strictObject({
  type: z.literal("setup.ended"),
  outcome: z.enum(["ok", "failed", "limited", "cancelled", "reused"]),
  command: z.string(),
  origin: SetupOrigin,
  exitCode: z.number().int().nullable(),
  output: z.string(),
  durationMs: z.number().nonnegative(),
  kept: z.boolean(),
  notKept: z.string().optional(),
  reused: ReusedSetup.optional(),
});
