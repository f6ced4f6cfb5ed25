import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import { fileError } from "./file-error.ts";
import type { Resolved } from "./resolve-path.ts";

export type OpenFile = { readonly file: number; readonly stat: Stats };
export type FileContent = { readonly bytes: Buffer; readonly stat: Stats };

/** Files over this are not read whole. 64 MiB. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;
/** How much of a file tells whether it is text. */
export const BINARY_PROBE_BYTES = 8000;

/** Opens a regular file; never waits for pipes and devices. The caller closes it. @throws AppError `path_not_file` */
export function openRegular(path: Resolved): OpenFile {
  let file: number | undefined;
  try {
    file = openSync(path.real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const stat = fstatSync(file);
    if (stat.isFile()) return { file, stat };
    throw new AppError("path_not_file", kindOf(stat), { path: path.shown });
  } catch (thrown) {
    if (file !== undefined) closeSync(file);
    throw fileError(thrown, path.shown);
  }
}

const kindOf = (stat: Stats) =>
  stat.isDirectory() ? "This path is a directory. List it instead." : "This path is not a regular file.";

/** Uses a regular file and closes it. @throws AppError `path_not_file` and others */
export function withFile<Value>(path: Resolved, use: (file: number, stat: Stats) => Value): Value {
  const { file, stat } = openRegular(path);
  try {
    return use(file, stat);
  } catch (thrown) {
    throw fileError(thrown, path.shown);
  } finally {
    closeSync(file);
  }
}

/** A whole file. @throws AppError `file_too_large` */
export function readContent(path: Resolved): FileContent {
  return withFile(path, (file, stat) => {
    if (stat.size <= MAX_FILE_BYTES) return { bytes: readAt(file, 0, stat.size), stat };
    const details = { path: path.shown, size: stat.size };
    throw new AppError("file_too_large", "The file is too large. Use a command to look at parts of it.", details);
  });
}

/** At most `length` bytes from `offset` on; fewer at the end of the file. */
export function readAt(file: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const count = readSync(file, bytes, done, length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

export const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Whether a file is no text, as git sees it: a zero byte near its beginning. */
export const isBinary = (bytes: Buffer) => bytes.subarray(0, BINARY_PROBE_BYTES).includes(0);
