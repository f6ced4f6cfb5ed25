import { lstatSync, readdirSync, type BigIntStats } from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import {
  encodeTree,
  MAX_SNAPSHOT_DEPTH,
  MAX_SNAPSHOT_ENTRIES,
  textOfBytes,
  type LeftOut,
  type SnapshotEntry,
  type SnapshotRules,
} from "@handrail/protocol/snapshots";
import type { KnownEntry, KnownTree, Stamp } from "./known-tree.ts";
import type { ObjectWriter } from "./object-writer.ts";
import { systemPath } from "./open-inside.ts";
import { CACHE_TAG, isCache, leftOutEntry, modeOf, readFileEntry, specialEntry } from "./read-entry.ts";

export type Walk = {
  /** A real path, one character for each byte. */
  readonly workspace: string;
  readonly rules: SnapshotRules;
  /** What was seen before: what has not changed since is not read. */
  readonly previous: KnownTree | undefined;
  readonly objects: Pick<ObjectWriter, "add">;
};

export type Walked = {
  readonly tree: KnownTree;
  readonly files: number;
  readonly bytes: number;
  /** The first of them; `leftOutCount` has all. */
  readonly leftOut: readonly LeftOut[];
  readonly leftOutCount: number;
};

/** How long other work of sandboxd waits at most. */
const TURN_MS = 15;
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
  const stat = lstatSync(systemPath(walk.workspace), { bigint: true });
  const names = walker.names("");
  const tree = await walker.directory({ path: "", name: "", stat, depth: 0 }, names ?? [], walk.previous);
  return { tree, ...walker.sums };
}

type Place = { readonly path: string; readonly name: string; readonly stat: BigIntStats; readonly depth: number };

class Walker {
  readonly sums = { files: 0, bytes: 0, leftOut: [] as LeftOut[], leftOutCount: 0 };
  readonly #walk: Walk;
  readonly #trustedBeforeNs = BigInt(Date.now()) * 1_000_000n - CLOCK_STEP_NS;
  /** Paths of files with several links, by device and inode. */
  readonly #twins = new Map<string, string>();
  #entries = 0;
  #turnEnds = performance.now() + TURN_MS;

  constructor(walk: Walk) {
    this.#walk = walk;
  }

  async directory(place: Place, names: readonly string[], previous: KnownTree | undefined): Promise<KnownTree> {
    const { path, stat, depth } = place;
    const entries = new Map<string, KnownEntry>();
    let same = previous !== undefined;
    for (const name of names) {
      if (performance.now() > this.#turnEnds) await this.#rest();
      const known = previous?.entries.get(name);
      const entry = await this.#entry({ path: path === "" ? name : `${path}/${name}`, name, depth: depth + 1 }, known);
      if (entry === undefined) continue;
      entries.set(name, entry);
      same &&= entry === known;
    }
    const self = { mode: modeOf(stat), mtime: String(stat.mtimeNs) };
    if (same && previous !== undefined && isSame(previous, self, entries.size)) return previous;
    const tree = { ...self, entries: Array.from(entries.values(), ({ entry }) => entry) };
    return { tree: this.#walk.objects.add("tree", encodeTree(tree)), ...self, entries };
  }

  /** In the order of a tree; undefined when the directory cannot be read. @throws AppError `limit_reached` */
  names(path: string): string[] | undefined {
    let names: string[];
    try {
      names = readdirSync(systemPath(this.#full(path)), { encoding: "latin1" });
    } catch {
      return undefined;
    }
    this.#entries += names.length;
    if (this.#entries > MAX_SNAPSHOT_ENTRIES) throw tooLarge(`It has over ${MAX_SNAPSHOT_ENTRIES} files.`);
    // Characters are bytes here, so this is the order of the bytes.
    return names.sort();
  }

  /** What a name is; undefined when it went meanwhile. What is as it was is the same object again. */
  async #entry(place: Omit<Place, "stat">, known: KnownEntry | undefined): Promise<KnownEntry | undefined> {
    const path = this.#full(place.path);
    const stat = statOf(path);
    if (stat === undefined) return undefined;
    if (stat === "unreadable") return this.#noted(place.path, leftOutEntry(place.name, stat), known);
    if (stat.isDirectory()) return this.#subdirectory({ ...place, stat }, known);
    const twin = this.#twinOf(stat);
    if (twin !== undefined) {
      return this.#noted(place.path, { type: "twin", name: textOfBytes(place.name), of: textOfBytes(twin) }, known);
    }
    const found = stat.isFile() ? this.#file({ ...place, stat }, known) : this.#special({ ...place, stat }, known);
    if (stat.nlink > 1n && found !== undefined && found.entry.type !== "left-out") {
      this.#twins.set(`${stat.dev}:${stat.ino}`, place.path);
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
  #twinOf({ nlink, dev, ino }: BigIntStats): string | undefined {
    return nlink > 1n ? this.#twins.get(`${dev}:${ino}`) : undefined;
  }

  async #subdirectory(place: Place, known: KnownEntry | undefined): Promise<KnownEntry> {
    const { path, name, depth } = place;
    if (depth > MAX_SNAPSHOT_DEPTH) throw tooLarge("Its directories are too deep.");
    const names = this.names(path);
    if (names === undefined) return this.#noted(path, leftOutEntry(name, "unreadable"), known);
    if (names.includes(CACHE_TAG) && isCache(this.#full(path))) {
      return this.#noted(path, leftOutEntry(name, "cache"), known);
    }
    const directory = await this.directory(place, names, known?.directory);
    if (known !== undefined && directory === known.directory) return known;
    return {
      stamp: undefined,
      entry: { type: "directory", name: textOfBytes(name), tree: directory.tree },
      directory,
    };
  }

  #file({ path, name, stat }: Place, known: KnownEntry | undefined): KnownEntry {
    const size = Number(stat.size);
    const { maxFileBytes, maxTotalBytes } = this.#walk.rules;
    if (size > maxFileBytes) return this.#noted(path, leftOutEntry(name, "large", size), known);
    if (this.sums.bytes + size > maxTotalBytes) return this.#noted(path, leftOutEntry(name, "total", size), known);
    const entry = isUnchanged(known, stat) ? known : this.#read(path, name, stat);
    if (entry.entry.type !== "file") return this.#noted(path, entry.entry, known);
    this.sums.files += 1;
    this.sums.bytes += entry.entry.size;
    return entry;
  }

  #read(path: string, name: string, stat: BigIntStats): KnownEntry {
    try {
      const entry = readFileEntry(this.#full(path), name, stat, this.#walk.objects);
      const trusted = stat.ctimeNs < this.#trustedBeforeNs;
      return { stamp: trusted ? stampOf(stat) : undefined, entry, directory: undefined };
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "ENOSPC") throw thrown;
      return { stamp: undefined, entry: leftOutEntry(name, "unreadable", Number(stat.size)), directory: undefined };
    }
  }

  /** An entry that costs nothing to make again. */
  #noted(path: string, entry: SnapshotEntry, known: KnownEntry | undefined): KnownEntry {
    if (entry.type === "left-out") {
      const { reason, bytes } = entry;
      this.sums.leftOutCount += 1;
      if (this.sums.leftOut.length < MAX_LISTED) this.sums.leftOut.push({ path: textOfBytes(path), reason, bytes });
    }
    if (known !== undefined && JSON.stringify(known.entry) === JSON.stringify(entry)) return known;
    return { stamp: undefined, entry, directory: undefined };
  }

  #full(path: string): string {
    return path === "" ? this.#walk.workspace : `${this.#walk.workspace}/${path}`;
  }

  async #rest(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#turnEnds = performance.now() + TURN_MS;
  }
}

/** Paths can be too long for the system, and directories closed. */
function statOf(path: string): BigIntStats | "unreadable" | undefined {
  try {
    return lstatSync(systemPath(path), { bigint: true, throwIfNoEntry: false });
  } catch {
    return "unreadable";
  }
}

/** What tells later that a file is still this one. */
export const stampOf = ({ ino, size, ctimeNs }: BigIntStats): Stamp => ({ inode: ino, size, changedNs: ctimeNs });

function isUnchanged(known: KnownEntry | undefined, stat: BigIntStats): known is KnownEntry {
  if (known?.stamp === undefined || known.entry.type !== "file") return false;
  const { inode, size, changedNs } = known.stamp;
  const { mtime } = known.entry;
  return inode === stat.ino && changedNs === stat.ctimeNs && size === stat.size && mtime === String(stat.mtimeNs);
}

function isSame(previous: KnownTree, { mode, mtime }: { mode: number; mtime: string }, count: number): boolean {
  return previous.entries.size === count && previous.mode === mode && previous.mtime === mtime;
}

const tooLarge = (why: string) => new AppError("limit_reached", `The workspace is too large for a snapshot. ${why}`);
