import { sandboxCallContract } from "./sandbox-call-contract.ts";
import { sandboxFileContract } from "./sandbox-file-contract.ts";
import type { SandboxOpener } from "./sandbox-fixture.ts";
import { sandboxPortContract } from "./sandbox-port-contract.ts";
import { sandboxSnapshotContract } from "./sandbox-snapshot-contract.ts";
import { sandboxTerminalContract } from "./sandbox-terminal-contract.ts";
import { sandboxWorkspaceContract } from "./sandbox-workspace-contract.ts";

/** What every `Sandbox` must do. Each backend's test file calls this once; `open` gives one with an empty workspace. */
export function sandboxContract(name: string, open: SandboxOpener): void {
  sandboxTerminalContract(name, open);
  sandboxCallContract(name, open);
  sandboxFileContract(name, open);
  sandboxWorkspaceContract(name, open);
  sandboxPortContract(name, open);
  sandboxSnapshotContract(name, open);
}
