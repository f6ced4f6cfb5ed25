import type { Interrupts } from "./interrupts.ts";
import type { Screen } from "./screen.ts";

/** What every command gets from the process. */
export type Context = {
  readonly screen: Screen;
  readonly cwd: string;
  /** The state directory. */
  readonly home: string;
  readonly interrupts: Interrupts;
  /** Where values are read from that stand in no command line; the process's stdin when absent. */
  readonly input?: NodeJS.ReadableStream;
  /** A gateway that runs alone, as the environment names it. */
  readonly gateway?: { readonly url?: string | undefined; readonly key?: string | undefined };
  /** Further options of a server that is started for this command. */
  readonly serverOptions?: readonly string[];
  /** Sets what the process exits with. */
  exit(code: number): void;
};
