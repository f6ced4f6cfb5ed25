import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { inProbe } from "../disk/disk-probes.ts";
import { runProgram } from "../run-program.ts";
import { SECCOMP_FD, shell } from "./shell.ts";

/** A directory that a program serves at another place within a bound. */
export type ServedFiles = {
  /** sandboxd. */
  readonly program: string;
  readonly directory: string;
  readonly bytes: number;
  readonly target: string;
};

const DEVICE_FD = 4;
const PROBE_BYTES = 1024 ** 2;
const SERVED = "served";

/** Lets go of standard output once it is in its mount namespace. */
const ALONE = 'exec "$@" >&2';

/**
 * Has the program `$1` serve the directory `$2` within `$3` bytes at `$4`. It is nobody's child, has nothing of this environment, and is in
 * a mount namespace of its own, which is made before the mount is: it ends with the last namespace that has the mount.
 */
const SERVE = `exec ${DEVICE_FD}<>/dev/fuse || exit 98
: "$( (env -i unshare --mount --propagation private -- sh -c '${ALONE}' sh \
"$1" bound --directory "$2" --bytes "$3" --device ${DEVICE_FD} ${SECCOMP_FD}<&- &) )"
mount -i -t fuse -o "fd=${DEVICE_FD},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions,nosuid,nodev" handrail "$4" || exit 98
exec ${DEVICE_FD}<&-; shift 4; exec "$@"`;

/** Runs a command as root of a user namespace with no other user than this process's own, with the directory served. */
export function withServedFiles(files: ServedFiles, command: readonly string[]): readonly string[] {
  const { program, directory, bytes, target } = files;
  const alone = ["unshare", "--user", "--map-root-user", "--mount", "--propagation", "slave", "--"];
  return [...alone, ...shell(SERVE, [program, directory, String(bytes), target, ...command])];
}

/** Whether that works for the sandboxes of a plain user in a directory, found out by doing it. */
export async function servedFilesWork(directory: string, program: string): Promise<boolean> {
  // Root has disks. Without loop devices it is in a container, which has no FUSE either.
  if (process.getuid?.() === 0) return false;
  return inProbe(directory, async (probe) => {
    const files = { program, directory: join(probe, "files"), bytes: PROBE_BYTES, target: join(probe, "target") };
    await Promise.all([mkdir(join(files.directory, SERVED), { recursive: true }), mkdir(files.target)]);
    const [first = "", ...rest] = withServedFiles(files, ["test", "-d", join(files.target, SERVED)]);
    return (await runProgram(first, rest)).code === 0;
  }).catch(() => false);
}
