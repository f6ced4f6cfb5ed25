import { access, readFile, mkdir, readdir, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SandboxLimits } from "../limits.ts";

/** Control groups that bound sandboxes as a whole. */
export type Cgroups = {
  readonly version: 1 | 2;
  /** Makes the groups of one sandbox; gives the files that take the id of its first process. */
  create(sandboxId: string, limits: SandboxLimits): Promise<readonly string[]>;
  /** Ids of the processes in a sandbox's groups. */
  processes(sandboxId: string): Promise<readonly number[]>;
  /** Takes the groups of a sandbox away once its processes have ended. Best effort. */
  remove(sandboxId: string): Promise<void>;
  /** Takes the groups of all sandboxes away that no process is in, save those of `keep`. Best effort. */
  removeEmpty(keep: ReadonlySet<string>): Promise<void>;
};

const ROOT = "/sys/fs/cgroup";
const V1_CONTROLLERS = ["pids", "memory", "cpu"] as const;
const PERIOD_US = 100_000;

/** One that is optional is not to be had everywhere. */
type Setting = { readonly file: string; readonly value: string; readonly optional?: boolean };

/** The groups under a name of our own, or undefined where this process may not make any (it takes root). */
export async function findCgroups(installation: string): Promise<Cgroups | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const version = await cgroupVersion();
  const bases = basesOf(installation, version);
  const works = version === 1 ? await madeAll(bases) : (await Promise.all(bases.map(delegated))).every(Boolean);
  return works ? groupsUnder(bases, version) : undefined;
}

/**
 * Takes the groups of an installation away, unless sandboxes are in them; also those of a server that was killed before it
 * had any. They are made again where they are wanted.
 */
export async function removeGroups(installation: string): Promise<void> {
  const bases = ([1, 2] as const).flatMap((version) => basesOf(installation, version));
  await Promise.allSettled(bases.map((base) => rmdir(base)));
}

/** The groups above those of the sandboxes. */
function basesOf(installation: string, version: 1 | 2): readonly string[] {
  const name = `handrail-${installation}`;
  return version === 1 ? V1_CONTROLLERS.map((controller) => join(ROOT, controller, name)) : [join(ROOT, name)];
}

/**
 * Puts limits on the groups that a process is in. `name` is in the paths of groups that are its own: others are left as
 * they are, and the answer is false then, as without a process.
 */
export async function boundGroupsOf(pid: number | undefined, name: string, limits: SandboxLimits): Promise<boolean> {
  if (pid === undefined) return false;
  const version = await cgroupVersion();
  const rows = (await readFile(`/proc/${pid}/cgroup`, "utf8")).split("\n").map((row) => /^\d+:([^:]*):(.*)$/.exec(row));
  const pathFor = (controller: string) => rows.find((row) => row?.[1]?.split(",").includes(controller))?.[2] ?? "";
  const groups =
    version === 2
      ? [join(ROOT, pathFor(""))]
      : V1_CONTROLLERS.map((controller) => join(ROOT, controller, pathFor(controller)));
  if (!groups.every((group) => group.includes(name))) return false;
  for (const group of groups) {
    for (const setting of cgroupSettings(group, version, limits)) await apply(group, setting);
  }
  return true;
}

function groupsUnder(bases: readonly string[], version: 1 | 2): Cgroups {
  return {
    version,
    create: async (sandboxId, limits) => {
      if (version === 2) await Promise.all(bases.map(delegated));
      const groups = bases.map((base) => join(base, sandboxId));
      for (const group of groups) {
        await mkdir(group, { recursive: true });
        for (const setting of cgroupSettings(group, version, limits)) await apply(group, setting);
      }
      return groups.map((group) => join(group, "cgroup.procs"));
    },
    processes: async (sandboxId) => {
      const listed = await Promise.all(bases.map((base) => idsIn(join(base, sandboxId, "cgroup.procs"))));
      return [...new Set(listed.flat())];
    },
    remove: async (sandboxId) => {
      await Promise.all(bases.map((base) => removeSoon(join(base, sandboxId))));
    },
    removeEmpty: async (keep) => {
      for (const base of bases) {
        const names = (await readdir(base).catch(() => [])).filter((name) => name.startsWith("x_") && !keep.has(name));
        // The kernel refuses it for those that processes are in.
        await Promise.allSettled(names.map((name) => rmdir(join(base, name))));
      }
    },
  };
}

/** What is written to the files of a group, such as `/sys/fs/cgroup/memory/handrail-x/x_1`. */
export function cgroupSettings(group: string, version: 1 | 2, limits: SandboxLimits): readonly Setting[] {
  const memory = String(limits.memoryBytes);
  const processes = { file: "pids.max", value: String(limits.processes) };
  const quota = String(Math.round(limits.cpus * PERIOD_US));
  if (version === 2) {
    return [
      processes,
      { file: "memory.max", value: memory },
      { file: "memory.swap.max", value: "0", optional: true },
      { file: "cpu.max", value: `${quota} ${PERIOD_US}`, optional: true },
    ];
  }
  const controller = group.split("/")[4];
  if (controller === "pids") return [processes];
  if (controller === "cpu") return [{ file: "cpu.cfs_quota_us", value: quota, optional: true }];
  return [
    { file: "memory.limit_in_bytes", value: memory },
    { file: "memory.memsw.limit_in_bytes", value: memory, optional: true },
  ];
}

async function apply(group: string, setting: Setting): Promise<void> {
  try {
    await writeFile(join(group, setting.file), setting.value);
  } catch (error) {
    if (setting.optional !== true) throw error;
  }
}

/** Version 2: a group passes limits on to its children only for controllers that it was told to. */
async function delegated(group: string): Promise<boolean> {
  try {
    await writeFile(join(dirname(group), "cgroup.subtree_control"), "+memory +pids +cpu");
    await mkdir(group, { recursive: true });
    await writeFile(join(group, "cgroup.subtree_control"), "+memory +pids +cpu");
    return true;
  } catch {
    return false;
  }
}

async function madeAll(groups: readonly string[]): Promise<boolean> {
  try {
    for (const group of groups) await mkdir(group, { recursive: true });
    return (await Promise.all(groups.map((group) => readdir(group)))).every((files) => files.includes("cgroup.procs"));
  } catch {
    return false;
  }
}

function cgroupVersion(): Promise<1 | 2> {
  return access(join(ROOT, "cgroup.controllers")).then(
    () => 2,
    () => 1,
  );
}

async function idsIn(file: string): Promise<number[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.split("\n").filter(Boolean).map(Number);
}

/** A group is busy for some milliseconds after its last process was killed. */
async function removeSoon(group: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const error = await rmdir(group).then(
      () => undefined,
      (thrown: NodeJS.ErrnoException) => thrown,
    );
    if (error?.code !== "EBUSY") return;
    await delay(5);
  }
}
