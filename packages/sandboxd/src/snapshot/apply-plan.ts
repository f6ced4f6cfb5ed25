import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  type BigIntStats,
} from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import { byteText, textOfBytes, type SnapshotEntry, type SnapshotFile } from "@handrail/protocol/snapshots";
import { writeAll, writeFresh } from "./fresh-file.ts";
import { fileStat, type FileStat } from "./file-stat.ts";
import type { KnownEntry, KnownTree } from "./known-tree.ts";
import type { Native } from "./native.ts";
import { O_PATH, openInside, systemPath } from "./open-inside.ts";
import type { PlannedEntry, PlannedTree } from "./restore-plan.ts";
import type { StagedObjects } from "./staged-objects.ts";
import { stampOf } from "./walk.ts";
import type { WrittenFiles } from "../workspace/written-files.ts";

export type Apply = {
  /** A real path, one character for each byte. */
  readonly workspace: string;
  readonly staged: Pick<StagedObjects, "blob">;
  readonly native: Native;
  /** Gets the files that are written where there was nothing, those of the git repository left out. */
  readonly written: WrittenFiles | undefined;
};

export type Applied = {
  readonly tree: KnownTree;
  readonly written: number;
  readonly removed: number;
  /** Paths that are not as they should be, with the reason. */
  readonly failed: readonly string[];
};

const TURN_MS = 15;
const MAX_FAILED = 100;

/**
 * Makes the workspace what the plan says. Each directory is opened, seen to be where it should be, and worked in
 * through its descriptor: nothing is written through a link, wherever one appears meanwhile. A file has its old
 * content or its new one, never a part; only in a directory that is new may a kill leave a part of one.
 * @throws AppError `disk_full`
 */
export async function applyPlan(apply: Apply, plan: PlannedTree): Promise<Applied> {
  const applier = new Applier(apply);
  const tree = await applier.directory("", plan, false);
  return { tree, ...applier.counts };
}

class Applier {
  readonly counts = { written: 0, removed: 0, failed: [] as string[] };
  readonly #apply: Apply;
  #turnEnds = performance.now() + TURN_MS;

  constructor(apply: Apply) {
    this.#apply = apply;
  }

  /** `made`: just now, for this. */
  async directory(path: string, plan: PlannedTree, made: boolean): Promise<KnownTree> {
    const { mode, mtime } = plan;
    const place = openPlace(this.#full(path));
    try {
      const there = made ? [] : namesIn(place.at);
      for (const name of there) {
        if (!plan.entries.has(name)) this.#try(path, name, () => this.#remove(place.at, path, name, plan.present));
      }
      const fresh = there.length === 0;
      const entries = new Map<string, KnownEntry>();
      for (const [name, planned] of plan.entries) {
        if (performance.now() > this.#turnEnds) await this.#rest();
        entries.set(name, await this.#entry(place.at, path, name, { planned, present: plan.present, fresh }));
      }
      chmodSync(place.at, mode);
      this.#apply.native.setTime(Buffer.from(`${place.at}/.`), BigInt(mtime));
      return { tree: plan.tree, mode, mtime, entries };
    } finally {
      place.close();
    }
  }

  async #entry(
    at: string,
    path: string,
    name: string,
    { planned, present, fresh }: { planned: PlannedEntry; present: KnownTree | undefined; fresh: boolean },
  ): Promise<KnownEntry> {
    const { entry, same, directory } = planned;
    if (same !== undefined) return same;
    const full = systemPath(`${at}/${name}`);
    if (directory !== undefined) {
      const place = this.#try(path, name, () => {
        if (lstatSync(full, { throwIfNoEntry: false })?.isDirectory() === true) return { made: false };
        this.#clear(at, path, name, present);
        mkdirSync(full, { mode: 0o700 });
        return { made: true };
      });
      const known = place && (await this.#below(path, name, directory, place.made));
      return { stamp: undefined, entry, directory: known };
    }
    const stat = this.#try(path, name, () => {
      const written = fresh && entry.type === "file" ? this.#fresh(at, path, name, entry) : undefined;
      if (written !== undefined) return written;
      this.#leaf(at, path, name, { planned, present });
      return entry.type === "file" ? fileStat(lstatSync(full, { bigint: true })) : undefined;
    });
    return { stamp: stat === undefined ? undefined : stampOf(stat), entry, directory: undefined };
  }

  async #below(path: string, name: string, directory: PlannedTree, made: boolean): Promise<KnownTree | undefined> {
    const below = path === "" ? name : `${path}/${name}`;
    const done = await this.directory(below, directory, made).catch((thrown: unknown) => ({ thrown }));
    if (!("thrown" in done)) return done;
    return this.#try(path, name, () => {
      throw done.thrown;
    });
  }

  /** Undefined when something else has the name meanwhile. */
  #fresh(at: string, path: string, name: string, entry: SnapshotFile): FileStat | undefined {
    const { native, written } = this.#apply;
    const blob = (object: string) => this.#blob(object);
    const stat = writeFresh(`${at}/${name}`, entry, { native, blob });
    if (stat === undefined) return undefined;
    this.counts.written += 1;
    if (!/^\.git(?:\/|$)/.test(path)) written?.add(path === "" ? name : `${path}/${name}`, stat, entry.blobs.map(blob));
    return stat;
  }

  #leaf(
    at: string,
    path: string,
    name: string,
    { planned: { entry, kept }, present }: { planned: PlannedEntry; present: KnownTree | undefined },
  ): void {
    if (entry.type === "left-out") return;
    const full = `${at}/${name}`;
    const stat = lstatSync(systemPath(full), { bigint: true, throwIfNoEntry: false });
    if (entry.type === "twin") return this.#twin(at, path, name, { of: byteText(entry.of), stat, present });
    if (!isAsWanted(full, entry, kept, stat)) {
      if (stat?.isDirectory() === true || entry.type !== "file") this.#clear(at, path, name, present);
      this.#make(at, name, entry);
      this.counts.written += 1;
    }
    this.#settle(full, entry);
  }

  #make(at: string, name: string, entry: SnapshotEntry): void {
    const full = `${at}/${name}`;
    if (entry.type === "link") symlinkSync(systemPath(byteText(entry.target)), systemPath(full));
    else if (entry.type === "pipe") this.#apply.native.makePipe(Buffer.from(full, "latin1"), entry.mode);
    else if (entry.type === "file") this.#write(at, full, entry);
  }

  #write(at: string, full: string, { blobs }: SnapshotFile): void {
    const temporary = systemPath(`${at}/.handrail-${randomBytes(8).toString("hex")}`);
    const file = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      for (const name of blobs) writeAll(file, this.#blob(name));
      renameSync(temporary, systemPath(full));
    } catch (thrown) {
      unlinkSync(temporary);
      throw thrown;
    } finally {
      closeSync(file);
    }
  }

  #blob(name: string): Uint8Array {
    const bytes = this.#apply.staged.blob(name);
    if (bytes === undefined) throw new AppError("checkpoint_invalid", "A piece of a file is missing.");
    return bytes;
  }

  /** Mode and time, where they differ. */
  #settle(full: string, entry: SnapshotEntry): void {
    if (entry.type !== "file" && entry.type !== "pipe" && entry.type !== "link") return;
    const stat = lstatSync(systemPath(full), { bigint: true });
    if (entry.type !== "link" && Number(stat.mode & 0o7777n) !== entry.mode) setMode(full, entry.mode);
    if (String(stat.mtimeNs) === entry.mtime) return;
    this.#apply.native.setTime(Buffer.from(full, "latin1"), BigInt(entry.mtime));
  }

  #twin(
    at: string,
    path: string,
    name: string,
    { of, stat, present }: { of: string; stat: BigIntStats | undefined; present: KnownTree | undefined },
  ): void {
    const cut = of.lastIndexOf("/");
    const place = openPlace(this.#full(cut < 0 ? "" : of.slice(0, cut)));
    try {
      const first = systemPath(`${place.at}/${of.slice(cut + 1)}`);
      if (lstatSync(first, { bigint: true }).ino === stat?.ino) return;
      this.#clear(at, path, name, present);
      linkSync(first, systemPath(`${at}/${name}`));
      this.counts.written += 1;
    } finally {
      place.close();
    }
  }

  /** Makes room for something else under a name. @throws when what is there has to stay */
  #clear(at: string, path: string, name: string, present: KnownTree | undefined): void {
    if (lstatSync(systemPath(`${at}/${name}`), { throwIfNoEntry: false }) === undefined) return;
    if (!this.#remove(at, path, name, present)) throw new Error("what is there is in no snapshot, and stays");
  }

  /** Whether it is gone. What the walk did not see, or what no snapshot holds, stays. */
  #remove(at: string, path: string, name: string, present: KnownTree | undefined): boolean {
    const known = present?.entries.get(name);
    if (known === undefined || known.entry.type === "left-out") return false;
    const full = systemPath(`${at}/${name}`);
    if (lstatSync(full).isDirectory()) return this.#removeDirectory(at, path, name, known.directory);
    unlinkSync(full);
    this.counts.removed += 1;
    return true;
  }

  #removeDirectory(at: string, path: string, name: string, present: KnownTree | undefined): boolean {
    const below = path === "" ? name : `${path}/${name}`;
    const place = openPlace(this.#full(below));
    try {
      let empty = true;
      for (const inner of namesIn(place.at)) empty = this.#remove(place.at, below, inner, present) && empty;
      if (!empty) return false;
    } finally {
      place.close();
    }
    rmdirSync(systemPath(`${at}/${name}`));
    return true;
  }

  /** One file that cannot be restored does not keep the others from it. @throws AppError `disk_full` */
  #try<Value>(path: string, name: string, work: () => Value): Value | undefined {
    try {
      return work();
    } catch (thrown) {
      const { code, message } = thrown as NodeJS.ErrnoException;
      if (code === "ENOSPC" || code === "EDQUOT") throw new AppError("disk_full", "The sandbox's disk is full.");
      const shown = textOfBytes(path === "" ? name : `${path}/${name}`);
      if (this.counts.failed.length < MAX_FAILED) this.counts.failed.push(`${shown}: ${code ?? message}`);
      return undefined;
    }
  }

  #full(path: string): string {
    return path === "" ? this.#apply.workspace : `${this.#apply.workspace}/${path}`;
  }

  async #rest(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#turnEnds = performance.now() + TURN_MS;
  }
}

/** A directory to work in; `at` names it whatever becomes of its path. Its owner may do all in it until it is done. */
function openPlace(path: string): { readonly at: string; close(): void } {
  const file = openInside(path, O_PATH | constants.O_DIRECTORY);
  const at = `/proc/self/fd/${file}`;
  const { mode } = lstatSync(`${at}/.`);
  if ((mode & 0o700) !== 0o700) chmodSync(at, (mode & 0o7777) | 0o700);
  return { at, close: () => closeSync(file) };
}

const namesIn = (at: string) => readdirSync(at, { encoding: "latin1" });

function isAsWanted(full: string, wanted: SnapshotEntry, kept: boolean, stat: BigIntStats | undefined): boolean {
  if (stat === undefined) return false;
  if (wanted.type === "file") return kept && stat.isFile();
  if (wanted.type === "pipe") return stat.isFIFO();
  if (wanted.type !== "link" || !stat.isSymbolicLink()) return false;
  return readlinkSync(systemPath(full), { encoding: "buffer" }).toString("latin1") === byteText(wanted.target);
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
