import * as z from "zod/mini";

// What arguments and results of many operations have.

const MAX_PART_BYTES = 4 * 1024 * 1024;

export const Bytes = z.int().check(z.nonnegative());
export const TimeoutMs = z.int().check(z.nonnegative(), z.maximum(3_600_000));
/** Bytes that travel as they are, in a frame of their own: only an argument called `data` can. */
export const Part = z.custom<Uint8Array>((part) => part instanceof Uint8Array && part.length <= MAX_PART_BYTES);
/** Relative paths start at the workspace. Written as `paths.ts` says. */
export const Path = z.string().check(z.minLength(1), z.maxLength(8192));

/** Shapes are made when they are first asked for: sandboxd is small, and needs few of them in most of its lives. */
export function operation<Args extends z.ZodMiniType, Result extends z.ZodMiniType>(
  args: () => Args,
  result: () => Result,
) {
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
