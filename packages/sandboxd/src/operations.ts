import { equip } from "./equip.ts";
import { fileOperations } from "./files/file-operations.ts";
import type { Handlers } from "./handlers.ts";
import { portOperations, type PortPlace } from "./ports/port-operations.ts";
import { processRun } from "./process-run.ts";
import { searchOperations } from "./search/search-operations.ts";
import { snapshotOperations } from "./snapshot/snapshot-operations.ts";
import { terminals } from "./terminals/terminal-operations.ts";
import { Untouched } from "./untouched.ts";
import { ChangedPaths } from "./workspace/changed-paths.ts";
import { workspaceOperations } from "./workspace/workspace-operations.ts";
import { WrittenFiles } from "./workspace/written-files.ts";

/** Where this sandboxd works, with what. */
export type Place = {
  readonly workspace: string;
  readonly state: string;
  readonly shell: string;
  /** The path of git; undefined in images without it. */
  readonly git: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly ports: PortPlace;
};

/** A handler for each operation of the protocol. `close` ends the terminals. */
export function operations(place: Place): { readonly handlers: Handlers; close(): void } {
  const { workspace, state, shell } = place;
  // Read whenever a program starts, so that what the sandbox is equipped with later holds too.
  const env = { ...place.env };
  const written = new WrittenFiles();
  const changed = new ChangedPaths();
  const untouched = new Untouched();
  const { isUntouched, replaced } = untouched;
  const shells = terminals({ program: shell, workspace, stateDirectory: state, env });
  return {
    handlers: untouched.watch({
      ...shells.handlers,
      ...fileOperations(place),
      ...searchOperations(place),
      ...snapshotOperations(place, state, { written, changed, isUntouched, replaced }),
      ...workspaceOperations(place, state, { program: place.git, workspace, env, written, changed, isUntouched }),
      ...portOperations(place.ports),
      "sandbox.equip": equip(env),
      "process.run": processRun(place, env),
    }),
    close: () => shells.close(),
  };
}
