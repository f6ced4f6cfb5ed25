import { chmodSync, closeSync, constants, fchmodSync, linkSync, mkdirSync, openSync, symlinkSync } from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import { writeAll } from "../snapshot/native/native-write.ts";
import type { Native } from "../snapshot/native/native.ts";
import { systemPath } from "../snapshot/native/open-inside.ts";
import type { TarEntry, TarSink } from "./tar-reader.ts";

const FRESH = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const OWNER_ALL = 0o700;
const SECOND = 1_000_000_000n;

/**
 * Writes a tree into an empty directory, which no other program works in meanwhile. Each entry comes behind its directory, so
 * that nothing is written through a link. Devices are left out: nobody but root could make them. `finish` is called when all
 * is there.
 */
export class TreeWriter implements TarSink {
  readonly #root: string;
  readonly #native: Native;
  readonly #directories: { readonly full: string; readonly entry: TarEntry }[] = [];
  readonly #made = new Set([""]);
  #open: { readonly file: number; readonly entry: TarEntry } | undefined;

  /** `root` has one character for each byte. */
  constructor(root: string, native: Native) {
    this.#root = root;
    this.#native = native;
  }

  /** @throws AppError `bad_request` for an entry that is in no directory of the tree */
  begin(entry: TarEntry): void {
    if (entry.path === "" && entry.type !== "directory") throw refused("The archive's root is no directory.");
    this.#requireParent(entry.path);
    const full = this.#full(entry.path);
    const path = systemPath(full);
    if (entry.type === "directory") {
      if (entry.path !== "") mkdirSync(path, entry.mode | OWNER_ALL);
      this.#made.add(entry.path);
      this.#directories.push({ full, entry });
    } else if (entry.type === "file") this.#open = { file: openSync(path, FRESH, OWNER_ALL), entry };
    else if (entry.type === "hardlink") this.#link(entry.target, path);
    else this.#special(full, entry);
  }

  content(bytes: Uint8Array): void {
    if (this.#open !== undefined) writeAll(this.#open.file, bytes);
  }

  end(): void {
    if (this.#open === undefined) return;
    const { file, entry } = this.#open;
    fchmodSync(file, entry.mode);
    this.#native.setOpenTime(file, timeOf(entry));
    this.close();
  }

  /** Directories get their modes and times, which writing in them would not leave as they are. */
  finish(): void {
    for (const { full, entry } of this.#directories.toReversed()) {
      chmodSync(systemPath(full), entry.mode);
      this.#native.setTime(Buffer.from(full, "latin1"), timeOf(entry));
    }
  }

  /** Lets go of a file that is not whole. */
  close(): void {
    if (this.#open !== undefined) closeSync(this.#open.file);
    this.#open = undefined;
  }

  #link(target: string, path: string | Buffer): void {
    this.#requireParent(target);
    linkSync(systemPath(this.#full(target)), path);
  }

  #requireParent(path: string): void {
    if (this.#made.has(path.slice(0, Math.max(0, path.lastIndexOf("/"))))) return;
    throw refused("A file is in no directory of it.");
  }

  #special(full: string, entry: TarEntry): void {
    const bytes = Buffer.from(full, "latin1");
    if (entry.type === "link") symlinkSync(systemPath(entry.target), systemPath(full));
    else if (entry.type === "pipe") {
      this.#native.makePipe(bytes, entry.mode);
      chmodSync(systemPath(full), entry.mode);
    } else return;
    this.#native.setTime(bytes, timeOf(entry));
  }

  #full(path: string): string {
    return path === "" ? this.#root : `${this.#root}/${path}`;
  }
}

const refused = (how: string) => new AppError("bad_request", `The files did not come as an archive. ${how}`);

const timeOf = ({ mtime }: TarEntry) => BigInt(mtime) * SECOND;
