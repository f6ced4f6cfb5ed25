import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  linkSync,
  lstatSync,
  openSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  type BigIntStats,
} from "node:fs";
import { byteText, type SnapshotEntry, type SnapshotFile } from "@handrail/protocol/snapshots";
import type { Native } from "../native/native.ts";
import { O_PATH, systemPath } from "../native/open-inside.ts";
import { fullPath, openPlace } from "../native/open-place.ts";

/** What makes a leaf: an entry that is no directory. `blob` gives a file's pieces. */
export type LeafTools = { readonly native: Native; readonly blob: (name: string) => Uint8Array };

/** Whether what is there needs at most another mode and time. `kept`: a file that is there has the content. */
export function isAsWanted(
  full: string,
  { entry: wanted, kept }: { readonly entry: SnapshotEntry; readonly kept: boolean },
  stat: BigIntStats | undefined,
): boolean {
  if (stat === undefined) return false;
  if (wanted.type === "file") return kept && stat.isFile();
  if (wanted.type === "pipe") return stat.isFIFO();
  if (wanted.type !== "link" || !stat.isSymbolicLink()) return false;
  return readlinkSync(systemPath(full), { encoding: "buffer" }).toString("latin1") === byteText(wanted.target);
}

/** Makes it at a name of a directory; a file takes the place of what has the name, in one step. */
export function makeLeaf(at: string, name: string, entry: SnapshotEntry, tools: LeafTools): void {
  const full = `${at}/${name}`;
  if (entry.type === "link") symlinkSync(systemPath(byteText(entry.target)), systemPath(full));
  else if (entry.type === "pipe") tools.native.makePipe(Buffer.from(full, "latin1"), entry.mode);
  else if (entry.type === "file") replaceFile(at, full, entry, tools);
}

function replaceFile(at: string, full: string, { blobs }: SnapshotFile, { native, blob }: LeafTools): void {
  const temporary = systemPath(`${at}/.handrail-${randomBytes(8).toString("hex")}`);
  const file = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    for (const name of blobs) native.writeAll(file, blob(name));
    renameSync(temporary, systemPath(full));
  } catch (thrown) {
    unlinkSync(temporary);
    throw thrown;
  } finally {
    closeSync(file);
  }
}

/**
 * Makes a name another one of the file at the path `of`, whose inode it may have already: `there` is that of the name.
 * `clear` makes room for it. Whether something was done.
 */
export function makeTwin(
  full: string,
  { workspace, of }: { readonly workspace: string; readonly of: string },
  there: bigint | undefined,
  clear: () => void,
): boolean {
  const cut = of.lastIndexOf("/");
  const { at, close } = openPlace(fullPath(workspace, cut < 0 ? "" : of.slice(0, cut)));
  try {
    const first = systemPath(`${at}/${of.slice(cut + 1)}`);
    if (lstatSync(first, { bigint: true }).ino === there) return false;
    clear();
    linkSync(first, systemPath(full));
    return true;
  } finally {
    close();
  }
}

/** Mode and time, where they differ. */
export function settleLeaf(full: string, entry: SnapshotEntry, native: Pick<Native, "setTime">): void {
  if (entry.type !== "file" && entry.type !== "pipe" && entry.type !== "link") return;
  const stat = lstatSync(systemPath(full), { bigint: true });
  if (entry.type !== "link" && Number(stat.mode & 0o7777n) !== entry.mode) setMode(full, entry.mode);
  if (String(stat.mtimeNs) !== entry.mtime) native.setTime(Buffer.from(full, "latin1"), BigInt(entry.mtime));
}

/** Of exactly this file: it is no link, or it fails. */
function setMode(full: string, mode: number): void {
  const file = openSync(systemPath(full), O_PATH | constants.O_NOFOLLOW);
  try {
    chmodSync(`/proc/self/fd/${file}`, mode);
  } finally {
    closeSync(file);
  }
}
