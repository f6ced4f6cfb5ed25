import { AppError } from "@handrail/protocol/errors";
import type { DiskOwner } from "@handrail/protocol/sandboxd/disk-messages";
import type { DaemonInfo } from "./docker-shapes.ts";
import { type Inside, textInside } from "./runtime-kernel.ts";

type Parts = {
  readonly facts: () => Promise<Pick<DaemonInfo, "userNamespaces">>;
  /** What it takes to look into a container. */
  readonly inside: () => Promise<Inside>;
};

/** Ids from `inside` on are those from `outside` on, so many of them. */
type Range = { readonly inside: number; readonly outside: number; readonly count: number };

/** Whose a file is on the daemon's machine that a user of a container owns. @throws AppError `sandbox_failed`, DockerError */
export type DaemonOwners = (user: number) => Promise<DiskOwner>;

/** The daemon is asked once. Where it maps no users they are the same there. */
export function daemonOwners({ facts, inside }: Parts): DaemonOwners {
  let known: Promise<readonly [Range[], Range[]]> | undefined;
  const ask = async () => {
    const parts = await inside();
    const read = async (file: string) => readRanges(await textInside(parts, file, {}));
    return Promise.all([read("/proc/self/uid_map"), read("/proc/self/gid_map")]);
  };
  return async (user) => {
    if (!(await facts()).userNamespaces) return { uid: user, gid: user };
    const asked = (known ??= ask());
    asked.catch(() => (known = undefined));
    const [users, groups] = await asked;
    return { uid: outside(users, user), gid: outside(groups, user) };
  };
}

/** As in user_namespaces(7): three numbers a line. */
function readRanges(text: string): Range[] {
  const rows = text.split("\n").filter((line) => line.trim() !== "");
  return rows.map((line) => {
    const [inside = 0, outside = 0, count = 0] = line.trim().split(/\s+/).map(Number);
    return { inside, outside, count };
  });
}

function outside(ranges: readonly Range[], id: number): number {
  const range = ranges.find(({ inside, count }) => id >= inside && id < inside + count);
  if (range !== undefined) return range.outside + id - range.inside;
  const message = `The Docker daemon's user namespace has no id ${id}. Give it 65536 in /etc/subuid and /etc/subgid.`;
  throw new AppError("sandbox_failed", message);
}
