import * as z from "zod/mini";

// What arguments and results of many operations have.

const MAX_PART_BYTES = 4 * 1024 * 1024;

export const Bytes = z.int().check(z.nonnegative());
export const TimeoutMs = z.int().check(z.nonnegative(), z.maximum(3_600_000));
/** Bytes that travel as they are, in a frame of their own: only an argument called `data` can. */
export const Part = z.custom<Uint8Array>((part) => part instanceof Uint8Array && part.length <= MAX_PART_BYTES);
/** Relative paths start at the workspace. Written as `paths.ts` says. */
export const Path = z.string().check(z.minLength(1), z.maxLength(8192));

/** A list whose first wrong item ends the look at it: a sandbox may answer with very many. */
export function listOf<Item extends z.ZodMiniType>(item: Item, most = Infinity) {
  const taken = (list: unknown, context: { readonly issues: unknown[] }): z.infer<Item>[] => {
    const items: z.infer<Item>[] = [];
    for (const one of Array.isArray(list) && list.length <= most ? list : [WRONG]) {
      const read = item.safeParse(one);
      if (!read.success) {
        context.issues.push({ code: "custom", input: list, message: "is not such a list" });
        return [];
      }
      items.push(read.data);
    }
    return items;
  };
  return z.pipe(z.unknown(), z.transform(taken));
}

/** Fits no shape. */
const WRONG = Symbol("wrong");

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
