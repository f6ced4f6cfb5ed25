import type { z } from "zod";

/** One setting of the program. A `secret` has no flag: other users of the machine can read command lines. */
export type Option = {
  /** The first that is set wins. */
  readonly env: readonly string[];
  readonly value: z.ZodType<unknown, string>;
  readonly help: string;
  readonly secret?: true;
};
