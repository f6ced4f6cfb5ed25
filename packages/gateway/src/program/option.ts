import type { TextRule } from "./text-rules.ts";

/** One setting of the program. A `secret` has no flag: other users of the machine can read command lines. */
export type Option = {
  /** The first that is set wins. */
  readonly env: readonly string[];
  readonly value: TextRule;
  readonly help: string;
  readonly secret?: true;
};
