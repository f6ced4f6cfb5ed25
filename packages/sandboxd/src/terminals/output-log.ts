import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";

const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_DIRECTORY_BYTES = 512 * 1024 * 1024;

/** A file with all of a command's raw output, up to 64 MiB. A full disk cuts it short; that is no error. */
export type OutputLog = { readonly path: string; append(bytes: Uint8Array): void; close(): void };

/** Makes an output file, and room for it: the oldest files go when the directory would hold over 512 MiB. */
export function outputLog(directory: string, name: string): OutputLog | undefined {
  const path = join(directory, `${name}.log`);
  let file: number | undefined;
  let left = MAX_FILE_BYTES;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    makeRoom(directory, MAX_DIRECTORY_BYTES - MAX_FILE_BYTES);
    file = openSync(path, "w", 0o600);
  } catch {
    return undefined;
  }
  const close = (): void => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  return {
    path,
    append: (bytes) => {
      if (file === undefined) return;
      try {
        left -= writeSync(file, bytes, 0, Math.min(bytes.length, left));
        if (left === 0) close();
      } catch {
        close();
      }
    },
    close,
  };
}

function makeRoom(directory: string, maxBytes: number): void {
  const files = readdirSync(directory)
    .map((name) => ({ path: join(directory, name), stat: statSync(join(directory, name)) }))
    .sort((a, b) => b.stat.mtimeMs - a.stat.mtimeMs);
  let total = 0;
  for (const { path, stat } of files) {
    total += stat.size;
    if (total > maxBytes) rmSync(path, { force: true });
  }
}
