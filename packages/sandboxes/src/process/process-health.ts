import type { BackendHealth } from "@handrail/core/ports/sandbox";
import { INSIDE } from "../sandbox-environment.ts";
import { profilesHad } from "../profiles.ts";
import { runProgram } from "../run-program.ts";
import { explainBubblewrap, INSTALL } from "./explain-bubblewrap.ts";
import { launchCommand } from "./launch-command.ts";
import type { Prepared } from "./process-backend.ts";
import { readOnly, systemMounts } from "../local/sandbox-mounts.ts";
import { seccompFile } from "./seccomp-files.ts";
import { sandboxUid } from "../sandbox-user.ts";

/** Whether sandboxes can be made here, found out by making one that does nothing. */
export async function processHealth(prepared: Prepared): Promise<BackendHealth> {
  const { bubblewrap } = prepared;
  if (bubblewrap === undefined) {
    return broken("bubblewrap (bwrap) is not installed.", INSTALL);
  }
  const { code, stderr } = await runTrue(prepared, bubblewrap);
  if (code === 0) {
    const detail = `bubblewrap ${bubblewrap.version}, ${limitsOf(prepared)}`;
    return { name: "process", works: true, detail, profiles: profilesHad({ root: prepared.noDev === undefined }) };
  }
  const [detail = "", ...remedy] = (await explainBubblewrap(stderr)).message.split(/(?<=[.)]) (?=[A-Z])/);
  return broken(detail, remedy.join(" "));
}

function broken(detail: string, remedy: string): BackendHealth {
  return { name: "process", works: false, detail, remedy, profiles: [] };
}

async function runTrue(prepared: Prepared, bubblewrap: NonNullable<Prepared["bubblewrap"]>) {
  const [program = "", ...args] = launchCommand({
    bubblewrap,
    limits: prepared.limits,
    system: systemMounts(),
    own: [...prepared.shared, readOnly(prepared.etcDirectory, INSIDE.workspace)],
    environment: {},
    uid: sandboxUid("health", process.getuid?.() === 0),
    seccompFile: seccompFile(prepared.seccompDirectory, "default", prepared.bound === undefined),
    bounded: undefined,
    cgroupFiles: [],
    command: ["true"],
  });
  return runProgram(program, args);
}

const BOUNDS = {
  disk: ", workspaces bounded",
  fuse: ", workspaces bounded by FUSE",
  none: "; no limit on a workspace's size: it takes root and loop devices, or /dev/fuse that the server may open",
} as const;

function limitsOf({ cgroups, bound, noDev, options }: Prepared): string {
  const groups =
    cgroups === undefined
      ? "no control groups: memory is limited for each process, not for the sandbox as a whole, and processors are not limited"
      : `limits by cgroup v${cgroups.version}`;
  const containers = options.containers === true ? "; containers in dev" : "";
  const dev = noDev === undefined ? containers : `; no profile dev: ${noDev}`;
  return `${groups}${BOUNDS[bound ?? "none"]}${dev}`;
}
