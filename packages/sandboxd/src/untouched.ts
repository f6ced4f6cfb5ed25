import type { OperationName } from "@handrail/protocol/sandboxd/operations";
import type { CallContext, Handlers } from "./handlers.ts";

/** Operations that neither change files nor start programs that could, but those that `snapshot.restore` itself knows of. */
const QUIET: ReadonlySet<OperationName> = new Set([
  "sandbox.equip",
  "snapshot.take",
  "snapshot.read",
  "snapshot.keep",
  "snapshot.put",
  "snapshot.restore",
  "workspace.begin",
  "workspace.changes",
] as const);

/** Tells whether anything was asked for that could have changed files, or could still do so: programs go on. */
export class Untouched {
  #touched = false;
  #replaced = 0;

  readonly isUntouched = (): boolean => !this.#touched;

  /** How often the first files were put in the place of all that was there. */
  readonly replaced = (): number => this.#replaced;

  /** The same handlers, which note that they were called. */
  watch(handlers: Handlers): Handlers {
    const noted = Object.entries(handlers).map(([name, handler]) => {
      if (QUIET.has(name as OperationName)) return [name, handler] as const;
      const run = handler as (args: unknown, call: CallContext) => unknown;
      const note = () => (name === "workspace.fill" ? (this.#replaced += 1) : (this.#touched = true));
      return [name, (args: unknown, call: CallContext) => (note(), run(args, call))] as const;
    });
    return Object.fromEntries(noted) as Handlers;
  }
}
