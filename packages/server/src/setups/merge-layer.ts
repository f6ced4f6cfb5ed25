import { byteText, encodeTree, type SnapshotEntry, type SnapshotTree } from "@handrail/protocol/snapshots";
import { nameOf } from "../checkpoints/object-content.ts";

export type Trees = (name: string) => SnapshotTree | undefined;

/** A workspace with a layer on it. `made` are the trees that are in neither, by name. */
export type Merged = { readonly root: string; readonly made: ReadonlyMap<string, SnapshotTree> };

/** Git writes these anew in each clone, and they say nothing of the files. */
const PASSED_OVER = new Set([".git/index", ".git/logs", ".git/FETCH_HEAD", ".git/ORIG_HEAD"]);

/**
 * Puts onto `now` what has changed from `before` to `after`. Times alone are no change. Undefined when `now` has
 * something else than `before` had in a place that changed: then the layer does not fit.
 */
export function mergeLayer(before: string, after: string, now: string, trees: Trees): Merged | undefined {
  const made = new Map<string, SnapshotTree>();
  const merge = new Merge(trees, made);
  try {
    return { root: merge.directory(before, after, now, ""), made };
  } catch (thrown) {
    if (thrown === MISFIT) return undefined;
    throw thrown;
  }
}

const MISFIT = new Error("The layer does not fit.");

type Entries = ReadonlyMap<string, SnapshotEntry>;

class Merge {
  readonly #trees: Trees;
  readonly #made: Map<string, SnapshotTree>;

  constructor(trees: Trees, made: Map<string, SnapshotTree>) {
    this.#trees = trees;
    this.#made = made;
  }

  // oxlint-disable-next-line max-params -- the three sides, and where
  directory(before: string, after: string, now: string, path: string): string {
    if (before === after) return now;
    const [old, changed] = [this.#entries(before), this.#entries(after)];
    const entries = new Map(this.#entries(now));
    for (const name of new Set([...old.keys(), ...changed.keys()])) {
      const below = path === "" ? name : `${path}/${name}`;
      if (PASSED_OVER.has(below)) continue;
      const entry = this.#entry([old.get(name), changed.get(name), entries.get(name)], below);
      if (entry === undefined) entries.delete(name);
      else entries.set(name, entry);
    }
    const { mode, mtime } = this.#tree(now);
    const sorted = [...entries].toSorted(([one], [other]) => (one < other ? -1 : 1));
    const tree = { mode, mtime, entries: sorted.map(([, entry]) => entry) };
    const made = nameOf("tree", encodeTree(tree));
    if (made !== now) this.#made.set(made, tree);
    return made;
  }

  #entry([old, changed, now]: readonly (SnapshotEntry | undefined)[], path: string): SnapshotEntry | undefined {
    if (this.#same(old, changed)) return now;
    if (old?.type === "directory" && changed?.type === "directory") {
      if (now?.type !== "directory") throw MISFIT;
      return { ...now, tree: this.directory(old.tree, changed.tree, now.tree, path) };
    }
    if (!this.#same(old, now)) throw MISFIT;
    return changed;
  }

  /** Whether two entries hold the same, whatever their times. */
  #same(one: SnapshotEntry | undefined, other: SnapshotEntry | undefined): boolean {
    if (one?.type !== "directory" || other?.type !== "directory") return plain(one) === plain(other);
    if (one.tree === other.tree) return true;
    const [left, right] = [this.#entries(one.tree), this.#entries(other.tree)];
    if (left.size !== right.size) return false;
    return Array.from(left).every(([name, entry]) => this.#same(entry, right.get(name)));
  }

  #tree(name: string): SnapshotTree {
    const tree = this.#trees(name) ?? this.#made.get(name);
    if (tree === undefined) throw MISFIT;
    return tree;
  }

  #entries(name: string): Entries {
    return new Map(this.#tree(name).entries.map((entry) => [byteText(entry.name), entry]));
  }
}

function plain(entry: SnapshotEntry | undefined): string | undefined {
  if (entry === undefined || entry.type === "directory") return entry?.type;
  return JSON.stringify("mtime" in entry ? { ...entry, mtime: "" } : entry);
}
