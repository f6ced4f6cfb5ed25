import { readFileSync } from "node:fs";
import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFIX = "handrail-disk-";
const OF_PROCESS = /^handrail-disk-(\d+)-(\d+)-/;

/**
 * Works in a new directory for temporary files, which is taken away after that; and so are those that processes of this user
 * left that have ended. Its name says whose it is: the process's id and when it started.
 */
export async function inOwnTemporary<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  await removeLeft().catch(() => undefined);
  const directory = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-${startOf(process.pid) ?? 0}-`));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function removeLeft(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, pid, start] = OF_PROCESS.exec(name) ?? [];
    if (pid === undefined || startOf(Number(pid)) === start) continue;
    const path = join(tmpdir(), name);
    // Another user's may change while it is removed.
    const found = await lstat(path).catch(() => undefined);
    if (found?.uid === process.getuid?.()) await rm(path, { recursive: true, force: true });
  }
}

/** In ticks since the machine's start; undefined when there is no such process. Source: proc_pid_stat(5) */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
