import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processStart } from "./process-name.ts";

const PREFIX = "handrail-disk-";
const OF_PROCESS = /^handrail-disk-(\d+)-(\d+)-/;

/**
 * Works in a new directory for temporary files, which is taken away after that; and so are those that processes of this user
 * left that have ended. Its name says whose it is: the process's id and when it started.
 */
export async function inOwnTemporary<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  await removeLeft().catch(() => undefined);
  const directory = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-${processStart(process.pid) ?? 0}-`));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function removeLeft(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, pid, start] = OF_PROCESS.exec(name) ?? [];
    if (pid === undefined || processStart(Number(pid)) === start) continue;
    const path = join(tmpdir(), name);
    // Another user's may change while it is removed.
    const found = await lstat(path).catch(() => undefined);
    if (found?.uid === process.getuid?.()) await rm(path, { recursive: true, force: true });
  }
}
