import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { mountDisk, unmountDisk } from "@handrail/sandboxes/disk/mounted-disk";
import { disksWork, makeDisk } from "@handrail/sandboxes/disk/workspace-disk";
import type { Beside } from "../row.ts";
import { median, repeat } from "../samples.ts";
import { changeCommand, done } from "./large-repository.ts";

const TIMES = { times: 3, warmUp: 1 };
const DISK_BYTES = 4 * 1024 ** 3;

export type SnapshotFloors = {
  readonly first: readonly Beside[];
  readonly changed: readonly Beside[];
  readonly restore: readonly Beside[];
  readonly fork: readonly Beside[];
};

/**
 * What other programs take to keep and to bring back the same repository, which they change, on the host. They unpack
 * onto a disk like a workspace's, where those can be had.
 */
export async function snapshotFloors(repository: string, scratch: string, changed: number): Promise<SnapshotFloors> {
  await mkdir(scratch, { recursive: true });
  const archive = join(scratch, "all.tar");
  const pack = () => done("tar", ["--create", `--file=${archive}`, `--directory=${repository}`, "."]);
  const row = async (name: string, work: (round: number) => Promise<number>): Promise<Beside> => ({
    name,
    p50: median(await repeat(TIMES, work)),
  });
  const change = (round: number) =>
    done("sh", ["-c", `cd "$0" && ${changeCommand(changed, `round ${round}`)}`, repository]);
  const git = (...args: string[]) => done("git", ["-C", repository, "-c", "gc.auto=0", ...args]);
  const user = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"];

  const tar = await row("tar", pack);
  const emptyAdd = await row("git add -A, store empty", async () => {
    const store = join(scratch, "store");
    await rm(store, { recursive: true, force: true });
    await done("git", ["init", "--quiet", "--bare", store]);
    const env = { GIT_DIR: store, GIT_WORK_TREE: repository };
    return done("git", ["-C", repository, "-c", "gc.auto=0", "add", "--all"], env);
  });
  const stash = await row("git stash create", async (round) => {
    await change(round);
    return git(...user, "stash", "create");
  });
  const checkout = await row("git stash push", async (round) => {
    await change(round);
    return git(...user, "stash", "push", "--quiet");
  });
  await pack();
  const fresh = (name: string, work: (target: string) => Promise<number>) =>
    row(name, () => inFreshPlace(join(scratch, "fresh"), work));
  const untar = await fresh("tar", (target) =>
    done("tar", ["--extract", `--file=${archive}`, `--directory=${target}`]),
  );
  const copy = await fresh("cp -a", (target) => done("cp", ["-a", `${repository}/.`, target]));
  return { first: [tar, emptyAdd], changed: [stash, tar], restore: [checkout], fork: [untar, copy] };
}

async function inFreshPlace(place: string, work: (target: string) => Promise<number>): Promise<number> {
  const [image, empty, target] = ["image", "empty", "target"].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ];
  await rm(place, { recursive: true, force: true });
  for (const directory of [empty, target]) await mkdir(directory, { recursive: true });
  if (!(await disksWork(place))) return work(target);
  await makeDisk(image, empty, DISK_BYTES);
  await mountDisk(image, target);
  try {
    return await work(target);
  } finally {
    await unmountDisk(target);
  }
}
