import { byteText, type SnapshotEntry, type SnapshotTree } from "@handrail/protocol/snapshots";
import { pairsOf } from "../checkpoints/compare.ts";
import { encodedInTurn, nameInTurn } from "../checkpoints/object-content.ts";
import { eachInTurn, turns } from "../checkpoints/turns.ts";

export type Trees = (name: string) => SnapshotTree | undefined;

/** A workspace with a layer on it. `made` are the trees that are in neither, by name. */
export type Merged = { readonly root: string; readonly made: ReadonlyMap<string, SnapshotTree> };

/** Git writes these anew in each clone, and they say nothing of the files. */
const PASSED_OVER = new Set([".git/index", ".git/logs", ".git/FETCH_HEAD", ".git/ORIG_HEAD"]);

/** Three snapshots of a directory, by the names of their trees. */
export type Sides = { readonly before: string; readonly after: string; readonly now: string };

/**
 * Puts onto `now` what has changed from `before` to `after`; others have their turns. Times alone are no change. Undefined
 * when `now` has something else than `before` had in a place that changed: then the layer does not fit.
 */
export async function mergeLayer(sides: Sides, trees: Trees): Promise<Merged | undefined> {
  const made = new Map<string, SnapshotTree>();
  const merge = new Merge(trees, made);
  try {
    return { root: await merge.directory(sides, ""), made };
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
  readonly #rest = turns();

  constructor(trees: Trees, made: Map<string, SnapshotTree>) {
    this.#trees = trees;
    this.#made = made;
  }

  async directory({ before, after, now }: Sides, path: string): Promise<string> {
    if (before === after) return now;
    const present = await this.#entries(now);
    const changes = new Map<string, SnapshotEntry | undefined>();
    for (const { name, old, now: changed } of pairsOf(this.#tree(before).entries, this.#tree(after).entries)) {
      const resting = this.#rest();
      if (resting !== undefined) await resting;
      const below = path === "" ? name : `${path}/${name}`;
      if (PASSED_OVER.has(below)) continue;
      changes.set(name, await this.#entry([old, changed, present.get(name)], below));
    }
    return this.#changed(now, changes);
  }

  /** The tree with these entries in place of its own; undefined: without it. Gives its name. */
  async #changed(now: string, changes: ReadonlyMap<string, SnapshotEntry | undefined>): Promise<string> {
    const { mode, mtime, entries } = this.#tree(now);
    const added = [...changes.values()].filter((entry) => entry !== undefined);
    const all: SnapshotEntry[] = [];
    await eachInTurn(pairsOf(entries, added), ({ name, old }) => {
      const entry = changes.has(name) ? changes.get(name) : old;
      if (entry !== undefined) all.push(entry);
    });
    const tree = { mode, mtime, entries: all };
    const made = await nameInTurn("tree", await encodedInTurn(tree));
    if (made !== now) this.#made.set(made, tree);
    return made;
  }

  /** Undefined: there is to be none. */
  async #entry(
    [old, changed, now]: readonly (SnapshotEntry | undefined)[],
    path: string,
  ): Promise<SnapshotEntry | undefined> {
    if (await this.#same(old, changed)) return now;
    if (old?.type === "directory" && changed?.type === "directory") {
      if (now?.type !== "directory") throw MISFIT;
      return { ...now, tree: await this.directory({ before: old.tree, after: changed.tree, now: now.tree }, path) };
    }
    if (!(await this.#same(old, now))) throw MISFIT;
    return changed;
  }

  /** Whether two entries hold the same, whatever their times. */
  async #same(one: SnapshotEntry | undefined, other: SnapshotEntry | undefined): Promise<boolean> {
    if (one?.type !== "directory" || other?.type !== "directory") return plain(one) === plain(other);
    if (one.tree === other.tree) return true;
    const [left, right] = [this.#tree(one.tree).entries, this.#tree(other.tree).entries];
    if (left.length !== right.length) return false;
    for (const { old, now } of pairsOf(left, right)) {
      const resting = this.#rest();
      if (resting !== undefined) await resting;
      if (!(await this.#same(old, now))) return false;
    }
    return true;
  }

  #tree(name: string): SnapshotTree {
    const tree = this.#trees(name) ?? this.#made.get(name);
    if (tree === undefined) throw MISFIT;
    return tree;
  }

  async #entries(name: string): Promise<Entries> {
    const entries = new Map<string, SnapshotEntry>();
    await eachInTurn(this.#tree(name).entries, (entry) => entries.set(byteText(entry.name), entry));
    return entries;
  }
}

function plain(entry: SnapshotEntry | undefined): string | undefined {
  if (entry === undefined || entry.type === "directory") return entry?.type;
  return JSON.stringify("mtime" in entry ? { ...entry, mtime: "" } : entry);
}
