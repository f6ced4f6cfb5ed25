import { z } from "zod";

/** Where a repository keeps its set-up. */
export const SETUP_SCRIPT = ".handrail/setup.sh";

/**
 * What is run in a new workspace before the agent acts. `repository`: the repository's own script, if it has one.
 * `command`: this one instead. `none`: nothing.
 */
export const SetupChoice = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("repository") }),
  z.strictObject({ type: z.literal("none") }),
  z.strictObject({ type: z.literal("command"), command: z.string().min(1).max(4096) }),
]);
export type SetupChoice = z.infer<typeof SetupChoice>;

/** Who said what to run. */
export const SetupOrigin = z.enum(["repository", "conversation"]);
export type SetupOrigin = z.infer<typeof SetupOrigin>;

const Count = z.number().int().nonnegative();

/**
 * The kept result of an earlier set-up. `at` is when that one ended, Unix time in milliseconds; `ranMs` how long it
 * took. `files` of `bytes` were put into the workspace.
 */
export const ReusedSetup = z.strictObject({
  at: z.number(),
  ranMs: z.number().nonnegative(),
  files: Count,
  bytes: Count,
});
export type ReusedSetup = z.infer<typeof ReusedSetup>;

/** A kept result as lists show it. Times are Unix times in milliseconds; `bytes` is what it takes in the store. */
export const KeptSetupRow = z.object({
  id: z.string().regex(/^[0-9a-f]{64}$/),
  source: z.string(),
  command: z.string(),
  at: z.number(),
  usedAt: z.number(),
  ranMs: z.number(),
  files: Count,
  bytes: Count,
});
export type KeptSetupRow = z.infer<typeof KeptSetupRow>;
