import { constants } from "node:fs";
import { chmod, copyFile, lstat, mkdir, opendir, readlink, symlink } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "@handrail/protocol/errors";

/** Counts what is copied. */
export type CopyBudget = { bytes: number; entries: number };

/** A workspace's first files may have at most this many bytes and entries. */
export const MAX_SEED_BYTES = 2 * 1024 ** 3;
const MAX_ENTRIES = 500_000;

/**
 * Copies a directory's content, whatever the bytes of its names. Links are copied as links and never followed; sockets
 * and devices are left out.
 */
export function copyTree(from: string, to: string, budget: CopyBudget, signal: AbortSignal): Promise<void> {
  return copyContent({ source: Buffer.from(from), target: Buffer.from(to) }, budget, signal);
}

/** Copies one file or link, making the directories above it. What is neither is left out. */
export async function copyEntry(source: string, target: string, budget: CopyBudget): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await copyOne({ source: Buffer.from(source), target: Buffer.from(target) }, budget);
}

type Pair = { readonly source: Buffer; readonly target: Buffer };

async function copyContent({ source, target }: Pair, budget: CopyBudget, signal: AbortSignal): Promise<void> {
  for await (const entry of await opendir(source, { encoding: "latin1" })) {
    signal.throwIfAborted();
    // Latin-1 keeps each byte of a name, which need not be UTF-8.
    const name = Buffer.from(`/${entry.name}`, "latin1");
    const pair = { source: Buffer.concat([source, name]), target: Buffer.concat([target, name]) };
    if (!entry.isDirectory()) await copyOne(pair, budget);
    else {
      spend(budget, 0);
      await mkdir(pair.target, { recursive: true });
      await copyContent(pair, budget, signal);
    }
  }
}

async function copyOne({ source, target }: Pair, budget: CopyBudget): Promise<void> {
  const found = await lstat(source);
  if (!found.isFile() && !found.isSymbolicLink()) return;
  spend(budget, found.size);
  if (found.isSymbolicLink()) return symlink(await readlink(source, "buffer"), target);
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
