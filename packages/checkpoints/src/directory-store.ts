import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ByteRange, CheckpointStore } from "@handrail/core/ports/checkpoint-store";
import { AppError, tooManyFiles, toAppError } from "@handrail/protocol/errors";
import { checkedPath, checkedPrefix } from "./store-paths.ts";

/** Names of files that are not written to their end. */
const LEFT = /^\.[0-9a-f]{16}$/;
/** Files that are being written by this process, by path. */
const writing = new Set<string>();

/**
 * A store in a directory, which is made when it is first written to. A file there is whole or not there at all.
 * No other process writes there; what one left that was killed goes when it is come across in a list.
 */
export function directoryStore(root: string): CheckpointStore {
  return {
    put: (path, bytes) => guarded(() => put(join(root, checkedPath(path)), bytes)),
    get: (path, range) => guarded(() => get(join(root, checkedPath(path)), range)),
    list: (prefix) => guarded(async () => (await list(join(root, checkedPrefix(prefix)), prefix)).toSorted()),
    remove: (path) => guarded(() => remove(root, checkedPath(path))),
  };
}

async function put(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // A name with a dot in front is no part of a path here, so that what a crash leaves is never listed.
  const temporary = join(dirname(path), `.${randomBytes(8).toString("hex")}`);
  writing.add(temporary);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  } finally {
    writing.delete(temporary);
  }
  await syncDirectory(dirname(path));
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function get(path: string, range: ByteRange | undefined): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    if (range === undefined) return await file.readFile();
    const bytes = Buffer.allocUnsafe(range.length);
    for (let done = 0; done < range.length;) {
      const { bytesRead } = await file.read(bytes, done, range.length - done, range.offset + done);
      if (bytesRead === 0) throw new AppError("checkpoint_damaged", "A file of the checkpoint store is too short.");
      done += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

async function list(directory: string, prefix: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === "ENOENT") return [];
    throw thrown;
  });
  const found: string[] = [];
  for (const entry of entries) {
    const path = `${prefix}${entry.name}`;
    if (entry.name.startsWith(".")) {
      const left = join(directory, entry.name);
      if (entry.isFile() && LEFT.test(entry.name) && !writing.has(left)) await rm(left, { force: true });
      continue;
    }
    if (entry.isDirectory()) found.push(...(await list(join(directory, entry.name), `${path}/`)));
    else found.push(path);
  }
  return found;
}

/** Directories that are empty then go too. */
async function remove(root: string, path: string): Promise<void> {
  await rm(join(root, path), { force: true });
  for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) {
    const gone = await rmdir(join(root, parent)).then(
      () => true,
      () => false,
    );
    if (!gone) return;
  }
}

async function guarded<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new AppError("checkpoint_damaged", "A file of the checkpoint store is gone.");
    if (code === "ENOSPC" || code === "EDQUOT") {
      throw new AppError("storage_full", "The disk with the checkpoints is full.", {}, { cause: thrown });
    }
    const crowded = tooManyFiles(thrown);
    if (crowded !== undefined) throw crowded;
    if (code === undefined) throw toAppError(thrown);
    const message = `The checkpoint store cannot be used (${code}).`;
    throw new AppError("checkpoints_unavailable", message, {}, { cause: thrown });
  }
}
