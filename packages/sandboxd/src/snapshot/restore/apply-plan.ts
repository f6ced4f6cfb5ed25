import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import { byteText, type SnapshotFile } from "@handrail/protocol/snapshots";
import { Failures } from "./failures.ts";
import { writeFresh } from "./fresh-file.ts";
import { fileStat, type FileStat } from "../native/file-stat.ts";
import type { KnownEntry, KnownTree } from "../objects/known-tree.ts";
import { isAsWanted, makeLeaf, makeTwin, settleLeaf, type LeafTools } from "./leaf.ts";
import type { Native } from "../native/native.ts";
import { OpenBundles } from "../objects/open-bundles.ts";
import { systemPath } from "../native/open-inside.ts";
import { fullPath, namesIn, pathIn } from "../native/open-place.ts";
import { OpenPlaces, type Place } from "../native/open-places.ts";
import { type Begun, Batch, type Here, isBatchable, later, type Work } from "./apply-work.ts";
import { Remover } from "./remover.ts";
import type { PlannedEntry, PlannedTree } from "./restore-plan.ts";
import type { StagedObjects } from "../objects/staged-objects.ts";
import { Turns } from "../turns.ts";
import { stampOf } from "../take/walk.ts";
import { filesWriter, type WriteFiles } from "./write-files.ts";
import { type Stats, statIn } from "../native/write-job.ts";
import type { Writer } from "./writer.ts";
import type { ChangedPaths } from "../../workspace/changed-paths.ts";
import type { WrittenFiles } from "../../workspace/written-files.ts";
import { Pieces } from "../objects/pieces.ts";

export type Apply = {
  /** A real path, one character for each byte. */
  readonly workspace: string;
  readonly staged: Pick<StagedObjects, "blob" | "bundled" | "arrived">;
  readonly native: Native;
  /** Gets the files that are written where there was nothing, those of the git repository left out. */
  readonly written: WrittenFiles | undefined;
  /** Gets the paths of what is written, removed or set, after that. */
  readonly changed?: Pick<ChangedPaths, "add"> | undefined;
  /** Writes some of the new files beside this thread. */
  readonly writer?: Pick<Writer, "write" | "hasRoom"> | undefined;
};

export type Applied = {
  readonly tree: KnownTree;
  readonly written: number;
  readonly removed: number;
  /** Paths that are not as they should be, with the reason. */
  readonly failed: readonly string[];
};

/**
 * Makes the workspace what the plan says. Each directory is opened, seen to be where it should be, and worked in
 * through its descriptor: nothing is written through a link, wherever one appears meanwhile. A file has its old
 * content or its new one, never a part; only in a directory that is new may a kill leave a part of one. Pieces that
 * are still to come are waited for.
 * @throws AppError `disk_full`, and what `staged.arrived` rejects with
 */
export async function applyPlan(apply: Apply, plan: PlannedTree): Promise<Applied> {
  const applier = new Applier(apply);
  const { done } = await applier.directory("", plan, false);
  const tree = await done;
  const { written, removed, failed } = applier;
  return { tree, written, removed, failed };
}

class Applier {
  written = 0;
  readonly #failures = new Failures();
  readonly #places = new OpenPlaces();
  readonly #remover: Remover;
  readonly #apply: Apply;
  readonly #tools: LeafTools;
  readonly #write: WriteFiles;
  readonly #bundles = new OpenBundles();
  readonly #turns = new Turns();

  constructor(apply: Apply) {
    this.#apply = apply;
    this.#remover = new Remover(apply.workspace, this.#places, (path) => apply.changed?.add(path));
    this.#write = filesWriter(apply.native);
    this.#tools = { native: apply.native, blob: (name) => this.#blob(name) };
  }

  get removed(): number {
    return this.#remover.removed;
  }

  get failed(): readonly string[] {
    return this.#failures.told;
  }

  /** Ends when all in it is begun; then it may still be at work. `made`: just now, for this. */
  async directory(path: string, plan: PlannedTree, made: boolean): Promise<Begun<KnownTree>> {
    const place = this.#places.open(fullPath(this.#apply.workspace, path));
    const work: Work = { entries: new Map(), later: [], batch: new Batch() };
    let failure: { readonly thrown: unknown } | undefined;
    try {
      const there = made ? [] : namesIn(place.at);
      const here = { place, path, present: plan.present, fresh: there.length === 0 };
      for (const name of there) {
        if (!plan.entries.has(name)) this.#failures.try(here, name, () => this.#remover.remove(here, name));
      }
      for (const [name, planned] of plan.entries) {
        if (this.#turns.isOver) await this.#turns.rest();
        const begun = this.#entry(here, name, planned, work);
        if (begun !== undefined) await begun;
      }
      if (work.batch.files.length > 0) this.#send(here, work);
    } catch (thrown) {
      failure = { thrown };
    }
    place.letGo();
    const done = this.#finish(plan, place, work, failure).finally(() => place.shut());
    done.catch(() => {});
    return { done };
  }

  /** When nothing is at work in the directory any more. */
  async #finish(
    { tree, mode, mtime }: PlannedTree,
    place: Place,
    { entries, later }: Work,
    failure: { readonly thrown: unknown } | undefined,
  ): Promise<KnownTree> {
    const ended = await Promise.allSettled(later);
    if (failure !== undefined) throw failure.thrown;
    for (const one of ended) if (one.status === "rejected") throw one.reason;
    place.hold();
    chmodSync(place.at, mode);
    this.#apply.native.setTime(Buffer.from(`${place.at}/.`), BigInt(mtime));
    return { tree, mode, mtime, entries };
  }

  /** Undefined where there is nothing to wait for. */
  #entry(here: Here, name: string, planned: PlannedEntry, work: Work): Promise<void> | undefined {
    const { entry, same, directory } = planned;
    if (directory !== undefined && same === undefined) return this.#subdirectory(here, name, planned, work);
    // In its place among the others, whenever it is known.
    work.entries.set(name, same ?? { stamp: undefined, entry, directory: undefined });
    if (same !== undefined) return undefined;
    const make = () => this.#leafOrBatch(here, name, planned, work);
    const arriving = this.#arriving(planned);
    if (arriving !== undefined) return arriving.then(make);
    make();
    return undefined;
  }

  async #subdirectory(here: Here, name: string, { entry, directory }: PlannedEntry, work: Work): Promise<void> {
    const known = (tree: KnownTree | undefined) => work.entries.set(name, { stamp: undefined, entry, directory: tree });
    known(undefined);
    const made = this.#failures.try(here, name, () => {
      const full = systemPath(`${here.place.at}/${name}`);
      if (lstatSync(full, { throwIfNoEntry: false })?.isDirectory() === true) return false;
      this.#remover.clear(here, name);
      mkdirSync(full, { mode: 0o700 });
      return true;
    });
    if (made === undefined || directory === undefined) return;
    const begin = () => this.#failures.noted(here, name, this.directory(pathIn(here, name), directory, made));
    const begun = await here.place.during(begin);
    if (begun !== undefined) later(work, this.#failures.noted(here, name, begun.done).then(known));
  }

  #leafOrBatch(here: Here, name: string, planned: PlannedEntry, work: Work): void {
    const { entry } = planned;
    const { writer, staged } = this.#apply;
    if (writer === undefined || !here.fresh || !isBatchable(entry)) {
      work.entries.set(name, this.#leafEntry(here, name, planned));
      return;
    }
    const { batch } = work;
    const [blob] = entry.blobs;
    this.#failures.try(here, name, () => {
      const piece = blob === undefined ? undefined : (staged.bundled(blob) ?? this.#blob(blob));
      batch.add({ name, entry, planned }, piece);
    });
    if (batch.isFull) this.#send(here, work);
  }

  /** To the other thread, or written here when that has enough to do. */
  #send(here: Here, work: Work): void {
    const { batch, entries } = work;
    work.batch = new Batch();
    const { writer } = this.#apply;
    if (writer?.hasRoom === true && this.#places.hasRoom) later(work, this.#sent(here, batch, entries, writer));
    else this.#told(here, batch, entries, this.#write(batch.job.build(0, here.place.file), this.#bundles));
  }

  async #sent(
    here: Here,
    batch: Batch,
    entries: Map<string, KnownEntry>,
    writer: Pick<Writer, "write">,
  ): Promise<void> {
    here.place.hold();
    try {
      this.#told(here, batch, entries, await writer.write(here.place.file, batch.job));
    } finally {
      here.place.letGo();
    }
  }

  /** What was not written with the others is written alone, or it is noted why not. */
  #told(here: Here, { files }: Batch, entries: Map<string, KnownEntry>, stats: Stats | undefined): void {
    for (const [index, { name, entry, planned }] of files.entries()) {
      const stamp = stats && statIn(stats, index);
      if (stamp !== undefined) this.#count(here, name, stamp, this.#pieces(entry));
      entries.set(name, stamp ? { stamp, entry, directory: undefined } : this.#leafEntry(here, name, planned));
    }
  }

  #leafEntry(here: Here, name: string, planned: PlannedEntry): KnownEntry {
    const { entry } = planned;
    const stamp = this.#failures.try(here, name, () => {
      const written = here.fresh && entry.type === "file" ? this.#fresh(here, name, entry) : undefined;
      if (written !== undefined) return stampOf(written);
      this.#leaf(here, name, planned);
      this.#apply.changed?.add(pathIn(here, name));
      if (entry.type !== "file" && entry.type !== "link") return undefined;
      const stat = fileStat(lstatSync(systemPath(`${here.place.at}/${name}`), { bigint: true }));
      if (entry.type === "file") return stampOf(stat);
      this.#apply.written?.add(pathIn(here, name), stat, [Buffer.from(byteText(entry.target), "latin1")]);
      return undefined;
    });
    return { stamp, entry, directory: undefined };
  }

  /** Undefined when something else has the name meanwhile. */
  #fresh(here: Here, name: string, entry: SnapshotFile): FileStat | undefined {
    const file = { mode: entry.mode, mtime: entry.mtime, pieces: this.#pieces(entry) };
    const stat = writeFresh({ directory: here.place.file, name }, file, this.#apply.native);
    if (stat !== undefined) this.#count(here, name, stat, file.pieces);
    return stat;
  }

  #count(here: Here, name: string, stat: FileStat, pieces: Iterable<Uint8Array>): void {
    this.written += 1;
    const path = pathIn(here, name);
    this.#apply.written?.add(path, stat, pieces);
    this.#apply.changed?.add(path);
  }

  #leaf(here: Here, name: string, planned: PlannedEntry): void {
    const { entry } = planned;
    if (entry.type === "left-out") return;
    const full = `${here.place.at}/${name}`;
    const stat = lstatSync(systemPath(full), { bigint: true, throwIfNoEntry: false });
    if (entry.type === "twin") {
      const first = { workspace: this.#apply.workspace, of: byteText(entry.of) };
      if (makeTwin(full, first, stat?.ino, () => this.#remover.clear(here, name))) this.written += 1;
      return;
    }
    if (!isAsWanted(full, planned, stat)) {
      this.#remover.makeRoom(here, name, entry.type);
      makeLeaf(here.place.at, name, entry, this.#tools);
      this.written += 1;
    }
    settleLeaf(full, entry, this.#apply.native);
  }

  #pieces({ blobs }: SnapshotFile): Iterable<Uint8Array> {
    return new Pieces(blobs, this.#tools.blob);
  }

  #blob(name: string): Uint8Array {
    const bytes = this.#apply.staged.blob(name);
    if (bytes === undefined) throw new AppError("checkpoint_invalid", "A piece of a file is missing.");
    return bytes;
  }

  /** Undefined when all pieces are there, or are not needed. */
  #arriving({ entry, kept }: PlannedEntry): Promise<void> | undefined {
    return entry.type === "file" && !kept ? this.#apply.staged.arrived(entry.blobs) : undefined;
  }
}
