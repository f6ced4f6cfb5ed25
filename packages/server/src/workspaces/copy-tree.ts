import { constants } from "node:fs";
import { chmod, copyFile, lstat, mkdir, opendir, readlink, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "@handrail/protocol/errors";

/** Counts what is copied. */
export type CopyBudget = { bytes: number; entries: number };

/** A workspace's first files may have at most this many bytes and entries. */
export const MAX_SEED_BYTES = 2 * 1024 ** 3;
const MAX_ENTRIES = 500_000;

/** Copies a directory's content. Links are copied as links and never followed; sockets and devices are left out. */
export async function copyTree(from: string, to: string, budget: CopyBudget, signal: AbortSignal): Promise<void> {
  for await (const entry of await opendir(from)) {
    signal.throwIfAborted();
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (!entry.isDirectory()) await copyEntry(source, target, budget);
    else {
      spend(budget, 0);
      await mkdir(target, { recursive: true });
      await copyTree(source, target, budget, signal);
    }
  }
}

/** Copies one file or link, making the directories above it. What is neither is left out. */
export async function copyEntry(source: string, target: string, budget: CopyBudget): Promise<void> {
  const found = await lstat(source);
  if (!found.isFile() && !found.isSymbolicLink()) return;
  spend(budget, found.size);
  await mkdir(dirname(target), { recursive: true });
  if (found.isSymbolicLink()) return symlink(await readlink(source), target);
  await copyFile(source, target, constants.COPYFILE_FICLONE);
  await chmod(target, (found.mode & 0o111) === 0 ? 0o644 : 0o755);
}

function spend(budget: CopyBudget, bytes: number): void {
  budget.bytes += bytes;
  budget.entries += 1;
  if (budget.bytes <= MAX_SEED_BYTES && budget.entries <= MAX_ENTRIES) return;
  const limits = { maxBytes: MAX_SEED_BYTES, maxEntries: MAX_ENTRIES };
  throw new AppError("source_too_large", "The folder is over 2 GiB or 500,000 files. Choose a smaller one.", limits);
}
