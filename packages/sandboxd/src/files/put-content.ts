import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
  type Stats,
} from "node:fs";
import { posix } from "node:path";
import { readContent } from "./file-content.ts";
import { fileError } from "./file-error.ts";
import type { Resolved } from "./resolve-path.ts";

/** Why a file cannot be replaced by another, though it may be written: its directory is closed, or it is a mount. */
const NOT_REPLACEABLE = new Set(["EACCES", "EPERM", "EROFS", "EBUSY", "EXDEV"]);

/**
 * Puts bytes into a file so that it has the old ones or the new ones, never a part. Makes directories; keeps mode and
 * owner. Files with several hard links, and those that cannot be replaced, are overwritten where they are.
 */
export function putContent(path: Resolved, bytes: Buffer, old: Stats | undefined): void {
  const directory = posix.dirname(path.real.toString("latin1"));
  try {
    mkdirSync(Buffer.from(directory, "latin1"), { recursive: true });
    if (old !== undefined && old.nlink > 1) overwrite(path, bytes);
    else replaceOrOverwrite(path, bytes, old);
  } catch (thrown) {
    throw fileError(thrown, path.shown);
  }
}

function replaceOrOverwrite(path: Resolved, bytes: Buffer, old: Stats | undefined): void {
  try {
    replace(path.real, bytes, old);
  } catch (thrown) {
    const { errno = "" } = fileError(thrown, path.shown).details;
    if (old === undefined || !NOT_REPLACEABLE.has(String(errno))) throw thrown;
    overwrite(path, bytes);
  }
}

function replace(path: Buffer, bytes: Buffer, old: Stats | undefined): void {
  const directory = posix.dirname(path.toString("latin1"));
  const name = `.handrail-${randomBytes(8).toString("hex")}`;
  const temporary = Buffer.from(posix.join(directory, name), "latin1");
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const file = openSync(temporary, flags, old === undefined ? 0o666 : 0o600);
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

/** When the new bytes do not fit, the old ones go back. */
function overwrite(path: Resolved, bytes: Buffer): void {
  const before = readContent(path).bytes;
  const file = openSync(path.real, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    refill(file, bytes);
  } catch (thrown) {
    refill(file, before);
    throw thrown;
  } finally {
    closeSync(file);
  }
}

function refill(file: number, bytes: Buffer): void {
  writeAll(file, bytes);
  ftruncateSync(file, bytes.length);
}

function writeAll(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done, done);
}
