import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { processStart } from "../process-name.ts";

/** With the process's id, and when it started. */
const PROBE = "probe-";
const OF_PROCESS = /^probe-(\d+)-(\d+)-/;

/** Works in a directory of its own below `directory`, for something that is only tried. It is taken away after that. */
export async function inProbe<Result>(directory: string, work: (probe: string) => Promise<Result>): Promise<Result> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const probe = await mkdtemp(join(directory, `${PROBE}${process.pid}-${processStart(process.pid) ?? 0}-`));
  try {
    return await work(probe);
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}

/** Removes what servers left that were killed while they tried something. */
export async function removeOldProbes(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  const old = names.filter((name) => name.startsWith(PROBE) && !isUnderWay(name));
  await Promise.all(old.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}

function isUnderWay(name: string): boolean {
  const [, pid, start] = OF_PROCESS.exec(name) ?? [];
  return pid !== undefined && processStart(Number(pid)) === start;
}
