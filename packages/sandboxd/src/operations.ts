import { editFile } from "./files/edit-file.ts";
import { listDirectory } from "./files/list-directory.ts";
import { readFileBytes, readFilePart } from "./files/read-file.ts";
import { writeFile } from "./files/write-file.ts";
import type { Handlers } from "./handlers.ts";
import { processRun } from "./process-run.ts";
import { ripgrep } from "./search/ripgrep.ts";
import { searchContent } from "./search/search-content.ts";
import { searchFiles } from "./search/search-files.ts";
import { terminals } from "./terminals/terminal-operations.ts";
import { workspaceOperations } from "./workspace/workspace-operations.ts";

/** Where this sandboxd works, with what. */
export type Place = {
  readonly workspace: string;
  readonly state: string;
  readonly shell: string;
  /** The path of git; undefined in images without it. */
  readonly git: string | undefined;
  readonly env: Readonly<Record<string, string>>;
};

/** A handler for each operation of the protocol. `close` ends the terminals. */
export function operations(place: Place): { readonly handlers: Handlers; close(): void } {
  const { workspace, state, shell, env } = place;
  const shells = terminals({ program: shell, workspace, stateDirectory: state, env });
  const run = ripgrep(workspace, env);
  return {
    handlers: {
      ...shells.handlers,
      ...workspaceOperations(place, state, { program: place.git, workspace, env }),
      "file.read": async (args) => readFilePart(place, args),
      "file.bytes": async (args) => readFileBytes(place, args),
      "file.write": async (args) => writeFile(place, args),
      "file.edit": async (args) => editFile(place, args),
      "file.list": async (args) => listDirectory(place, args),
      "search.content": (args, call) => searchContent(place, run, args, call.signal),
      "search.files": (args, call) => searchFiles(place, run, args, call.signal),
      "process.run": processRun(place, env),
    },
    close: () => shells.close(),
  };
}
