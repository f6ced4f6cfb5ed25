import { closeSync, constants } from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import {
  encodeTree,
  MAX_SAID_PATH,
  MAX_SNAPSHOT_DEPTH,
  MAX_SNAPSHOT_ENTRIES,
  textOfBytes,
  treePieces,
  type LeftOut,
  type SnapshotEntry,
  type SnapshotRules,
} from "@handrail/protocol/snapshots";
import { isDirectory, isFile, modeOf, type FileStat } from "../native/file-stat.ts";
import type { KnownEntry, KnownTree, Stamp } from "../objects/known-tree.ts";
import type { Native } from "../native/native.ts";
import type { ObjectWriter } from "../objects/object-writer.ts";
import { O_PATH, openInside } from "../native/open-inside.ts";
import { namesBeside, namesIn } from "../native/open-place.ts";
import { Turns } from "../turns.ts";
import { CACHE_TAG, isCache, leftOutEntry, readFileEntry, specialEntry } from "./read-entry.ts";
import { sortedNames } from "./sorted-names.ts";

export type Walk = {
  /** A real path, one character for each byte. */
  readonly workspace: string;
  readonly rules: SnapshotRules;
  /** What was seen before: what has not changed since is not read. */
  readonly previous: KnownTree | undefined;
  readonly objects: Pick<ObjectWriter, "add" | "addInTurns">;
  readonly native: Pick<Native, "statIn" | "statOpen">;
};

export type Walked = {
  readonly tree: KnownTree;
  readonly files: number;
  readonly bytes: number;
  /** The first of them; `leftOutCount` has all. */
  readonly leftOut: readonly LeftOut[];
  readonly leftOutCount: number;
};

/** A directory with more entries is encoded in turns; */
const MANY_ENTRIES = 4096;
/** one that takes more space is read beside other work. */
const LARGE_DIRECTORY_BYTES = 128 * 1024;
/** File systems tell times in steps of the kernel's clock: what changed this shortly before could change unseen. */
const CLOCK_STEP_NS = 40_000_000n;
const MAX_LISTED = 100;

/**
 * Looks at every file, reads those that are not as they were, and makes the trees. What changes during the walk is in
 * this snapshot or in the next.
 * @throws AppError `limit_reached` for a workspace with too many files
 */
export async function walkWorkspace(walk: Walk): Promise<Walked> {
  const walker = new Walker(walk);
  const tree = await walker.root();
  return { tree, ...walker.sums };
}

type Place = { readonly path: string; readonly name: string; readonly stat: FileStat; readonly depth: number };

/** Names in a directory, in the order of a tree, each with what it is; undefined where that went meanwhile. */
type Listing = { readonly names: readonly string[]; readonly stats: readonly (FileStat | "unreadable" | undefined)[] };

class Walker {
  readonly sums = { files: 0, bytes: 0, leftOut: [] as LeftOut[], leftOutCount: 0 };
  readonly #walk: Walk;
  readonly #trustedBeforeNs = BigInt(Date.now()) * 1_000_000n - CLOCK_STEP_NS;
  /** Paths of files with several links, by device and inode. */
  readonly #twins = new Map<string, string>();
  #entries = 0;
  readonly #turns = new Turns();

  constructor(walk: Walk) {
    this.#walk = walk;
  }

  async root(): Promise<KnownTree> {
    const place = openInside(this.#walk.workspace, O_PATH | constants.O_DIRECTORY);
    try {
      const stat = this.#walk.native.statOpen(place);
      const listing = (await this.#list("", stat)) ?? { names: [], stats: [] };
      return await this.#directory({ path: "", name: "", stat, depth: 0 }, listing, this.#walk.previous);
    } finally {
      closeSync(place);
    }
  }

  async #directory(place: Place, { names, stats }: Listing, previous: KnownTree | undefined): Promise<KnownTree> {
    const { path, stat, depth } = place;
    const entries = new Map<string, KnownEntry>();
    let same = previous !== undefined;
    for (const [at, name] of names.entries()) {
      if (this.#turns.isOver) await this.#turns.rest();
      const known = previous?.entries.get(name);
      const entry = await this.#entry(
        { path: path === "" ? name : `${path}/${name}`, name, depth: depth + 1 },
        stats[at],
        known,
      );
      if (entry === undefined) continue;
      entries.set(name, entry);
      same &&= entry === known;
    }
    const self = { mode: modeOf(stat), mtime: String(stat.modifiedNs) };
    if (same && previous !== undefined && isSame(previous, self, entries.size)) return previous;
    return { tree: await this.#encoded(self, entries), ...self, entries };
  }

  /** The name of the tree. */
  #encoded(self: Pick<KnownTree, "mode" | "mtime">, all: KnownTree["entries"]): string | Promise<string> {
    const { objects } = this.#walk;
    const tree = { ...self, entries: Array.from(all.values(), ({ entry }) => entry) };
    if (all.size <= MANY_ENTRIES) return objects.add("tree", encodeTree(tree));
    return objects.addInTurns("tree", treePieces(tree), this.#turns);
  }

  /** Undefined when the directory cannot be read. @throws AppError `limit_reached` */
  async #list(path: string, { size }: FileStat): Promise<Listing | undefined> {
    let directory: number;
    try {
      directory = openInside(this.#full(path), constants.O_RDONLY | constants.O_DIRECTORY);
    } catch {
      return undefined;
    }
    try {
      const at = `/proc/self/fd/${directory}`;
      const found = size > LARGE_DIRECTORY_BYTES ? await namesBeside(at) : namesIn(at);
      this.#entries += found.length;
      if (this.#entries > MAX_SNAPSHOT_ENTRIES) throw tooLarge(`It has over ${MAX_SNAPSHOT_ENTRIES} files.`);
      // Characters are bytes here, so this is the order of the bytes.
      const names = await sortedNames(found, this.#turns);
      return { names, stats: await this.#statAll(directory, names) };
    } finally {
      closeSync(directory);
    }
  }

  async #statAll(directory: number, names: readonly string[]): Promise<Listing["stats"]> {
    const stats: (FileStat | "unreadable" | undefined)[] = [];
    for (const name of names) {
      if (this.#turns.isOver) await this.#turns.rest();
      stats.push(this.#walk.native.statIn(directory, name));
    }
    return stats;
  }

  /** What a name is; undefined when it went meanwhile. What is as it was is the same object again. */
  #entry(
    place: Omit<Place, "stat">,
    stat: FileStat | "unreadable" | undefined,
    known: KnownEntry | undefined,
  ): KnownEntry | undefined | Promise<KnownEntry> {
    if (stat === undefined) return undefined;
    if (stat === "unreadable") return this.#noted(place.path, leftOutEntry(place.name, stat), known);
    if (isDirectory(stat)) return this.#subdirectory({ ...place, stat }, known);
    const twin = this.#twinOf(stat);
    if (twin !== undefined) {
      return this.#noted(place.path, { type: "twin", name: textOfBytes(place.name), of: textOfBytes(twin) }, known);
    }
    const found = isFile(stat) ? this.#file({ ...place, stat }, known) : this.#special({ ...place, stat }, known);
    if (stat.links > 1 && found !== undefined && found.entry.type !== "left-out") {
      this.#twins.set(`${stat.device}:${stat.inode}`, place.path);
    }
    return found;
  }

  #special({ path, name, stat }: Place, known: KnownEntry | undefined): KnownEntry | undefined {
    try {
      return this.#noted(path, specialEntry(this.#full(path), name, stat), known);
    } catch {
      return undefined;
    }
  }

  /** The path of the first name of a file with several, if this is another one. */
  #twinOf({ links, device, inode }: FileStat): string | undefined {
    return links > 1 ? this.#twins.get(`${device}:${inode}`) : undefined;
  }

  async #subdirectory(place: Place, known: KnownEntry | undefined): Promise<KnownEntry> {
    const { path, name, depth } = place;
    if (depth > MAX_SNAPSHOT_DEPTH) throw tooLarge("Its directories are too deep.");
    const listing = await this.#list(path, place.stat);
    if (listing === undefined) return this.#noted(path, leftOutEntry(name, "unreadable"), known);
    if (listing.names.includes(CACHE_TAG) && isCache(this.#full(path))) {
      return this.#noted(path, leftOutEntry(name, "cache"), known);
    }
    const directory = await this.#directory(place, listing, known?.directory);
    if (known !== undefined && directory === known.directory) return known;
    return {
      stamp: undefined,
      entry: { type: "directory", name: textOfBytes(name), tree: directory.tree },
      directory,
    };
  }

  #file({ path, name, stat }: Place, known: KnownEntry | undefined): KnownEntry {
    const { size } = stat;
    const { maxFileBytes, maxTotalBytes } = this.#walk.rules;
    if (size > maxFileBytes) return this.#noted(path, leftOutEntry(name, "large", size), known);
    if (this.sums.bytes + size > maxTotalBytes) return this.#noted(path, leftOutEntry(name, "total", size), known);
    const entry = isUnchanged(known, stat) ? known : this.#read(path, name, stat);
    if (entry.entry.type !== "file") return this.#noted(path, entry.entry, known);
    this.sums.files += 1;
    this.sums.bytes += entry.entry.size;
    return entry;
  }

  #read(path: string, name: string, stat: FileStat): KnownEntry {
    try {
      const entry = readFileEntry(this.#full(path), name, stat, this.#walk.objects);
      const trusted = stat.changedNs < this.#trustedBeforeNs;
      return { stamp: trusted ? stampOf(stat) : undefined, entry, directory: undefined };
    } catch (thrown) {
      if (["ENOSPC", "EDQUOT"].includes((thrown as NodeJS.ErrnoException).code ?? "")) throw thrown;
      return { stamp: undefined, entry: leftOutEntry(name, "unreadable", stat.size), directory: undefined };
    }
  }

  /** An entry that costs nothing to make again. */
  #noted(path: string, entry: SnapshotEntry, known: KnownEntry | undefined): KnownEntry {
    if (entry.type === "left-out") {
      const { reason, bytes } = entry;
      this.sums.leftOutCount += 1;
      const said = textOfBytes(path);
      if (this.sums.leftOut.length < MAX_LISTED && said.length <= MAX_SAID_PATH) {
        this.sums.leftOut.push({ path: said, reason, bytes });
      }
    }
    if (known !== undefined && JSON.stringify(known.entry) === JSON.stringify(entry)) return known;
    return { stamp: undefined, entry, directory: undefined };
  }

  #full(path: string): string {
    return path === "" ? this.#walk.workspace : `${this.#walk.workspace}/${path}`;
  }
}

/** What tells later that a file is still this one. */
export const stampOf = ({ inode, size, changedNs, modifiedNs }: FileStat): Stamp => ({
  inode,
  size,
  changedNs,
  modifiedNs,
});

function isUnchanged(known: KnownEntry | undefined, stat: FileStat): known is KnownEntry {
  if (known?.stamp === undefined || known.entry.type !== "file") return false;
  const { inode, size, changedNs, modifiedNs } = known.stamp;
  const isOlder = changedNs === stat.changedNs && modifiedNs === stat.modifiedNs;
  return isOlder && inode === stat.inode && size === stat.size;
}

function isSame(previous: KnownTree, { mode, mtime }: { mode: number; mtime: string }, count: number): boolean {
  return previous.entries.size === count && previous.mode === mode && previous.mtime === mtime;
}

const tooLarge = (why: string) => new AppError("limit_reached", `The workspace is too large for a snapshot. ${why}`);
