import type { Keys } from "./keys.ts";
import type { Ledger } from "./ledger.ts";

/** Everything that outlives the process. */
export type Books = {
  readonly keys: Keys;
  readonly ledger: Ledger;
  /** Undefined when all is well, else a sentence for `/health/readiness`. */
  trouble(): string | undefined;
  close(): Promise<void>;
};
