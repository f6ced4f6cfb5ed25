import type { z } from "zod";

/**
 * One setting. Its flag is the key in kebab case with `--`, its key in `handrail.yaml` the same without. `env` holds
 * the names of environment variables, the first that is set wins. A `secret` has no flag: other users of the machine
 * can read command lines.
 */
export type Option = {
  readonly env: readonly string[];
  readonly value: z.ZodType<unknown, string>;
  readonly help: string;
  readonly secret?: true;
};
