import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
  type Stats,
} from "node:fs";
import { posix } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import type { OperationArgs, OperationResult } from "@handrail/protocol/sandboxd/operations";
import { hashOf, readContent, type FileContent } from "./file-content.ts";
import { fileEdit } from "./file-edit.ts";
import { fileError } from "./file-error.ts";
import { resolveWritable, type Resolved, type Root } from "./resolve-path.ts";

/** The operation `file.write`. */
export function writeFile(root: Root, args: OperationArgs<"file.write">): OperationResult<"file.write"> {
  const path = resolveWritable(root, args.path);
  const before = contentIfAny(path);
  const hash = before === undefined ? null : hashOf(before.bytes);
  if (args.expectedHash !== undefined && args.expectedHash !== hash) {
    const details = { path: path.shown };
    const message = hash === null ? "The file is gone." : "The file is not what was last read. Read it again first.";
    throw new AppError("file_changed", message, details);
  }
  const after = Buffer.from(args.text);
  putContent(path, after, before?.stat);
  return { path: path.shown, hash: hashOf(after), edit: fileEdit(path.shown, before?.bytes, after) };
}

/** Puts bytes into a file so that it has the old ones or the new ones, never a part. Keeps mode, owner, hard links. */
export function putContent(path: Resolved, bytes: Buffer, old: Stats | undefined): void {
  const directory = posix.dirname(path.real.toString("latin1"));
  try {
    mkdirSync(Buffer.from(directory, "latin1"), { recursive: true });
    if (old !== undefined && old.nlink > 1) overwrite(path.real, bytes);
    else replace(path.real, Buffer.from(temporary(directory), "latin1"), bytes, old);
  } catch (thrown) {
    throw fileError(thrown, path.shown);
  }
}

const temporary = (directory: string) => posix.join(directory, `.handrail-${randomBytes(8).toString("hex")}`);

function contentIfAny(path: Resolved): FileContent | undefined {
  try {
    return readContent(path);
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "path_missing") return undefined;
    throw thrown;
  }
}

function replace(path: Buffer, temporary: Buffer, bytes: Buffer, old: Stats | undefined): void {
  const file = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o666);
  try {
    writeAll(file, bytes);
    if (old !== undefined) keepOwner(file, old);
    renameSync(temporary, path);
  } catch (thrown) {
    rmSync(temporary, { force: true });
    throw thrown;
  } finally {
    closeSync(file);
  }
}

function keepOwner(file: number, old: Stats): void {
  try {
    if (old.uid !== process.getuid?.() || old.gid !== process.getgid?.()) fchownSync(file, old.uid, old.gid);
  } catch {
    // Only root may give files away; the file is then the writer's own.
  }
  fchmodSync(file, old.mode & 0o7777);
}

function overwrite(path: Buffer, bytes: Buffer): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW);
  try {
    writeAll(file, bytes);
  } finally {
    closeSync(file);
  }
}

function writeAll(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done);
}
