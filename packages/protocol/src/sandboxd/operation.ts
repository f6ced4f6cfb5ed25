import { z } from "zod";

// What arguments and results of many operations have.

export const Bytes = z.number().int().nonnegative();
export const TimeoutMs = z.number().int().nonnegative().max(3_600_000);
/** Relative paths start at the workspace. Written as `paths.ts` says. */
export const Path = z.string().min(1).max(8192);

/** Shapes are made when they are first asked for: sandboxd is small, and needs few of them in most of its lives. */
export function operation<Args extends z.ZodType, Result extends z.ZodType>(args: () => Args, result: () => Result) {
  const made: { args?: Args; result?: Result } = {};
  return {
    get args(): Args {
      return (made.args ??= args());
    },
    get result(): Result {
      return (made.result ??= result());
    },
  };
}
