import { join, relative } from "node:path";
import type { BackendHealth, SandboxBackend } from "@handrail/core/ports/sandbox";
import { AppError } from "@handrail/protocol/errors";
import { sandboxdEnvironment } from "../link-token.ts";
import { lookForMarked, MARK } from "../local/find-processes.ts";
import { killAll } from "../local/kill-all.ts";
import { REDIRECT, SANDBOXD_LOG, sandboxdLog, spawnDetached } from "../local/launch-sandboxd.ts";
import type { LocalOptions, LocalRunner, LocalStart } from "../local/local-backend.ts";
import { localBackend } from "../local/local-backend.ts";
import { IDLE_EXIT, sandboxEnvironment } from "../sandbox-environment.ts";
import { requireSandboxd } from "../sandboxd-programs.ts";

export type NoneOptions = LocalOptions & {
  /** The folder with the programs `sandboxd` and `rg`. */
  readonly sandboxdDirectory: string;
};

/**
 * No sandbox at all: what the agent runs, runs as the server's own user, and can do what that user can. For machines
 * that are themselves the sandbox, and only when it is chosen by name. It still gets none of the server's environment.
 */
export function noneBackend(options: NoneOptions): SandboxBackend {
  const runner: LocalRunner = {
    name: "none",
    uidOf: async () => undefined,
    bound: async (profile) => {
      if (profile === "default") return undefined;
      const message = `Without isolation there is no profile ${profile}. Use the docker or the process backend.`;
      throw new AppError("backend_unavailable", message, { profile });
    },
    health: async (): Promise<BackendHealth> => ({
      name: "none",
      works: true,
      detail: "Nothing is isolated: commands run as the server's user, with its files and its network.",
      profiles: ["default"],
    }),
    launch: (start) => launch(options, start),
    // What it started may outlive it, and then answers nobody.
    isAlive: async (sandboxId, { token }) => lookForMarked(sandboxId, token).pids.length > 0,
    kill: (sandboxId) => killAll(async () => lookForMarked(sandboxId)),
  };
  return localBackend(runner, options);
}

async function launch({ sandboxdDirectory }: NoneOptions, { place, record, socketPath, furnished }: LocalStart) {
  await requireSandboxd(sandboxdDirectory);
  await furnished;
  const serve = ["serve", ...IDLE_EXIT, "--workspace", place.workspace, "--state", place.state];
  // The path of a socket is at most 107 bytes, so it is given from where sandboxd starts.
  const dial = ["--dial", `unix:${relative(place.workspace, socketPath)}`];
  const command = [join(sandboxdDirectory, "sandboxd"), ...serve, ...dial];
  return spawnDetached({
    command: ["sh", "-c", REDIRECT, join(place.state, SANDBOXD_LOG), ...command],
    environment: {
      ...sandboxEnvironment(join(place.state, "home")),
      ...sandboxdEnvironment(record.token),
      [MARK]: record.sandboxId,
    },
    cwd: place.workspace,
    log: () => sandboxdLog(place.state),
    explain: async (said) => new AppError("sandbox_failed", `sandboxd ended at its start. It said: ${said.trim()}`),
  });
}
