import { later, type Later, type Loaders } from "./later.ts";
import type { PortPlace } from "./ports/port-operations.ts";
import { Untouched } from "./untouched.ts";
import { ChangedPaths } from "./workspace/changed-paths.ts";
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

/** `close` ends the terminals. */
export type Operations = Later & { readonly close: () => void };

/** A handler for each operation of the protocol. */
export function operations(place: Place): Operations {
  const untouched = new Untouched();
  let endTerminals = () => {};
  const { handlers, load } = later(loaders(place, untouched, (end) => (endTerminals = end)));
  return { handlers: untouched.watch(handlers), load, close: () => endTerminals() };
}

/** `onTerminals` hears how terminals are ended. */
function loaders(place: Place, { isUntouched, replaced }: Untouched, onTerminals: (end: () => void) => void): Loaders {
  const { workspace, state, shell, git } = place;
  // Read whenever a program starts, so that what the sandbox is equipped with later holds too.
  const env = { ...place.env };
  const written = new WrittenFiles();
  const changed = new ChangedPaths();
  return {
    terminal: async () => {
      const { terminals } = await import("./terminals/terminal-operations.ts");
      const made = terminals({ program: shell, workspace, stateDirectory: state, env });
      onTerminals(() => made.close());
      return made.handlers;
    },
    file: async () => (await import("./files/file-operations.ts")).fileOperations(place),
    search: async () => (await import("./search/search-operations.ts")).searchOperations(place),
    snapshot: async () => {
      const { snapshotOperations } = await import("./snapshot/snapshot-operations.ts");
      return snapshotOperations(place, state, { written, changed, isUntouched, replaced });
    },
    workspace: async () => {
      const { workspaceOperations } = await import("./workspace/workspace-operations.ts");
      return workspaceOperations(place, state, { program: git, workspace, env, written, changed, isUntouched });
    },
    port: async () => (await import("./ports/port-operations.ts")).portOperations(place.ports),
    sandbox: async () => ({ "sandbox.equip": (await import("./equip.ts")).equip(env) }),
    process: async () => ({ "process.run": (await import("./process-run.ts")).processRun(place, env) }),
  };
}
