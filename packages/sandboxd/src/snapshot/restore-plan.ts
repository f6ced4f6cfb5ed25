import { AppError } from "@handrail/protocol/errors";
import { byteText, MAX_SNAPSHOT_DEPTH, type SnapshotEntry, type SnapshotTree } from "@handrail/protocol/snapshots";
import type { KnownEntry, KnownTree } from "./known-tree.ts";
import type { StagedObjects } from "./staged-objects.ts";

/** A directory as it shall be, beside what is there now. `entries` by name, one character for each byte. */
export type PlannedTree = {
  readonly tree: string;
  readonly mode: number;
  readonly mtime: string;
  readonly present: KnownTree | undefined;
  readonly entries: ReadonlyMap<string, PlannedEntry>;
};

/** `kept`: the file that is there has the content already. */
export type PlannedEntry = {
  readonly entry: SnapshotEntry;
  readonly kept: boolean;
  readonly directory: PlannedTree | undefined;
};

export type Plan = { readonly tree: PlannedTree | undefined; readonly needed: ReadonlySet<string> };

/** What has to be done, or which objects are missing for it. */
export function planRestore(root: string, present: KnownTree, staged: StagedObjects): Plan {
  const planner = new Planner(present, staged);
  const tree = planner.directory(root, present, 0);
  return { tree: planner.needed.size === 0 ? tree : undefined, needed: planner.needed };
}

class Planner {
  readonly needed = new Set<string>();
  readonly #known = new Map<string, KnownTree>();
  readonly #staged: StagedObjects;

  constructor(present: KnownTree, staged: StagedObjects) {
    indexTrees(present, this.#known);
    this.#staged = staged;
  }

  directory(name: string, present: KnownTree | undefined, depth: number): PlannedTree | undefined {
    if (depth > MAX_SNAPSHOT_DEPTH) throw new AppError("checkpoint_invalid", "The snapshot is too deep.");
    const tree = this.#tree(name);
    if (tree === undefined) {
      this.needed.add(name);
      return undefined;
    }
    const entries = new Map<string, PlannedEntry>();
    for (const entry of tree.entries) {
      const bytes = byteText(entry.name);
      entries.set(bytes, this.#entry(entry, present?.entries.get(bytes), depth));
    }
    return { tree: name, mode: tree.mode, mtime: tree.mtime, present, entries };
  }

  #entry(entry: SnapshotEntry, there: KnownEntry | undefined, depth: number): PlannedEntry {
    const kept = hasContent(there, entry);
    const blobs = entry.type === "file" && !kept ? entry.blobs : [];
    for (const blob of blobs) if (!this.#staged.has(blob)) this.needed.add(blob);
    const directory = entry.type === "directory" ? this.directory(entry.tree, there?.directory, depth + 1) : undefined;
    return { entry, kept, directory };
  }

  #tree(name: string): SnapshotTree | undefined {
    const known = this.#known.get(name);
    if (known === undefined) return this.#staged.tree(name);
    const { mode, mtime, entries } = known;
    return { mode, mtime, entries: Array.from(entries.values(), ({ entry }) => entry) };
  }
}

function hasContent(there: KnownEntry | undefined, wanted: SnapshotEntry): boolean {
  if (there?.entry.type !== "file" || wanted.type !== "file") return false;
  const { blobs } = there.entry;
  return blobs.length === wanted.blobs.length && blobs.every((blob, at) => blob === wanted.blobs[at]);
}

function indexTrees(tree: KnownTree, into: Map<string, KnownTree>): void {
  into.set(tree.tree, tree);
  for (const { directory } of tree.entries.values()) if (directory !== undefined) indexTrees(directory, into);
}
