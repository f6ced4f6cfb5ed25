import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";

const PROBE = "probe-";

/** Of this process. A directory of sandboxes is one server's: others in it are what a killed one left. */
const underWay = new Set<string>();

/** Works in a directory of its own below `directory`, for something that is only tried. It is taken away after that. */
export async function inProbe<Result>(directory: string, work: (probe: string) => Promise<Result>): Promise<Result> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const probe = await mkdtemp(join(directory, PROBE));
  underWay.add(basename(probe));
  try {
    return await work(probe);
  } finally {
    await rm(probe, { recursive: true, force: true });
    underWay.delete(basename(probe));
  }
}

/** Removes what servers left that were killed while they tried something. */
export async function removeOldProbes(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  const old = names.filter((name) => name.startsWith(PROBE) && !underWay.has(name));
  await Promise.all(old.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}
