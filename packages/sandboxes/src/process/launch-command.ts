import type { Bubblewrap } from "./bubblewrap.ts";
import type { Bind, Mounts } from "./sandbox-mounts.ts";
import type { SandboxLimits } from "../limits.ts";
import { bubblewrapArguments, limitArguments } from "./bubblewrap-arguments.ts";

export type Launch = {
  readonly bubblewrap: Bubblewrap;
  /** The host's own places. */
  readonly system: Mounts;
  /** Mounts from anywhere on the host. */
  readonly own: readonly Bind[];
  readonly limits: SandboxLimits;
  readonly environment: Readonly<Record<string, string>>;
  /** The user of the host that runs the sandbox when the server is root; undefined: the server's own user. */
  readonly uid: number | undefined;
  /** Files that take the id of a process to put it into a control group. */
  readonly cgroupFiles: readonly string[];
  /** Program and arguments, as seen inside. */
  readonly command: readonly string[];
};

/** Puts itself into the control groups named before `--`, then becomes the command after it. */
const ENTER = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 97; shift; done; shift; exec "$@"';

/** The whole command line that starts a sandbox on the host. */
export function launchCommand(launch: Launch): readonly string[] {
  const command = launch.uid === undefined ? boxed(launch, launch.own) : unprivileged(launch, launch.uid);
  return ["sh", "-c", ENTER, "handrail-sandbox", ...launch.cgroupFiles, "--", ...command];
}

function boxed(launch: Launch, own: readonly Bind[]): readonly string[] {
  const mounts = { links: launch.system.links, binds: [...launch.system.binds, ...own] };
  // Without control groups the memory of each process is bounded on its own.
  const heapBytes = launch.cgroupFiles.length > 0 ? undefined : launch.limits.memoryBytes;
  return [
    "bwrap",
    ...bubblewrapArguments({ ...launch, mounts }),
    "prlimit",
    ...limitArguments(launch.limits, heapBytes),
    ...launch.command,
  ];
}

/**
 * As root the sandbox belongs to a user of its own: root within a user namespace is still the owner of much in /proc.
 * That user cannot reach what lies in a directory of root's, so root mounts it where all can pass, in a mount namespace.
 */
function unprivileged(launch: Launch, uid: number): readonly string[] {
  const staged = launch.own.map((bind, index) => ({ ...bind, source: `/tmp/${index}` }));
  const stage = launch.own.flatMap((bind, index) => [
    bind.write ? "--bind" : "--ro-bind",
    bind.source,
    `/tmp/${index}`,
  ]);
  const user = [`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--inh-caps=-all", "--no-new-privs", "--"];
  return [
    "bwrap",
    "--dev-bind",
    "/",
    "/",
    "--tmpfs",
    "/tmp",
    ...stage,
    "--",
    "setpriv",
    ...user,
    ...boxed(launch, staged),
  ];
}
