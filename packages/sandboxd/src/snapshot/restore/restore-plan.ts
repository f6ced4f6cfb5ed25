import { AppError } from "@handrail/protocol/errors";
import {
  byteText,
  encodeTree,
  MAX_SNAPSHOT_DEPTH,
  parseTree,
  type SnapshotEntry,
  type SnapshotTree,
} from "@handrail/protocol/snapshots";
import type { KnownEntry, KnownTree } from "../objects/known-tree.ts";
import { objectName } from "../objects/object-writer.ts";
import type { StagedObjects } from "../objects/staged-objects.ts";
import { Turns } from "../turns.ts";

/** A directory as it shall be, beside what is there now. `entries` by name, one character for each byte. */
export type PlannedTree = {
  readonly tree: string;
  readonly mode: number;
  readonly mtime: string;
  readonly present: KnownTree | undefined;
  readonly entries: ReadonlyMap<string, PlannedEntry>;
};

/** `same`: what is there is this already, with all below it. `kept`: the file that is there has the content. */
export type PlannedEntry = {
  readonly entry: SnapshotEntry;
  readonly same: KnownEntry | undefined;
  readonly kept: boolean;
  readonly directory: PlannedTree | undefined;
};

export type Plan = { readonly tree: PlannedTree | undefined; readonly needed: ReadonlySet<string> };

/** The workspace as it is, and as it was when it was last kept or restored: directories of that are known too. */
export type KnownTrees = { readonly present: KnownTree; readonly previous: KnownTree | undefined };

/** What has to be done, or which objects are missing for it, found in turns. `later`: pieces of files may still come. */
export async function planRestore(
  root: string,
  known: KnownTrees,
  staged: StagedObjects,
  later = false,
): Promise<Plan> {
  const planner = new Planner(known, staged, later);
  const tree = await planner.root(root, known.present);
  return { tree: planner.needed.size === 0 ? tree : undefined, needed: planner.needed };
}

type Open = {
  readonly tree: PlannedTree;
  readonly entries: Map<string, PlannedEntry>;
  readonly content: SnapshotTree;
  readonly depth: number;
};

class Planner {
  readonly needed = new Set<string>();
  readonly #known = new Map<string, KnownTree>();
  readonly #previous = new Map<string, KnownTree>();
  readonly #tied = new Set<KnownTree>();
  /** Directories whose entries are not planned yet. */
  readonly #open: Open[] = [];
  readonly #staged: StagedObjects;
  readonly #later: boolean;

  constructor({ present, previous }: KnownTrees, staged: StagedObjects, later: boolean) {
    indexTrees(present, this.#known, this.#tied);
    if (previous !== undefined) indexTrees(previous, this.#previous, new Set());
    this.#staged = staged;
    this.#later = later;
  }

  /** Not by recursion: as deep as trees may be, the stack would not do. */
  async root(name: string, present: KnownTree): Promise<PlannedTree | undefined> {
    const turns = new Turns();
    const planned = this.#directory(name, present, 0);
    for (let next = this.#open.pop(); next !== undefined; next = this.#open.pop()) {
      const { content, depth, tree } = next;
      for (const entry of content.entries) {
        if (turns.isOver) await turns.rest();
        const bytes = byteText(entry.name);
        next.entries.set(bytes, this.#entry(entry, tree.present?.entries.get(bytes), depth));
      }
    }
    return planned;
  }

  /** What is in it is planned later. Undefined, and needed, when it is not here. */
  #directory(name: string, present: KnownTree | undefined, depth: number): PlannedTree | undefined {
    if (depth > MAX_SNAPSHOT_DEPTH) throw new AppError("checkpoint_invalid", "The snapshot is too deep.");
    const content = this.#tree(name);
    if (content === undefined) {
      this.needed.add(name);
      return undefined;
    }
    const entries = new Map<string, PlannedEntry>();
    const tree = { tree: name, mode: content.mode, mtime: content.mtime, present, entries };
    this.#open.push({ tree, entries, content, depth });
    return tree;
  }

  #entry(entry: SnapshotEntry, there: KnownEntry | undefined, depth: number): PlannedEntry {
    if (there !== undefined && this.#isSame(there, entry)) {
      return { entry, same: there, kept: true, directory: undefined };
    }
    const kept = hasContent(there, entry);
    const blobs = entry.type === "file" && !kept && !this.#later ? entry.blobs : [];
    for (const blob of blobs) if (!this.#staged.has(blob)) this.needed.add(blob);
    const directory = entry.type === "directory" ? this.#directory(entry.tree, there?.directory, depth + 1) : undefined;
    return { entry, same: undefined, kept, directory };
  }

  /** A further name of a file may be one of another file once that one is written anew. */
  #isSame(there: KnownEntry, wanted: SnapshotEntry): boolean {
    if (there.directory !== undefined && this.#tied.has(there.directory)) return false;
    return wanted.type !== "twin" && JSON.stringify(there.entry) === JSON.stringify(wanted);
  }

  #tree(name: string): SnapshotTree | undefined {
    const known = this.#known.get(name);
    return known === undefined ? (this.#staged.tree(name) ?? this.#earlier(name)) : contentOf(known);
  }

  /** It may come from the state directory, so it is named and read anew. @throws AppError `checkpoint_invalid` */
  #earlier(name: string): SnapshotTree | undefined {
    const known = this.#previous.get(name);
    const bytes = known && encodeTree(contentOf(known));
    return bytes !== undefined && objectName("tree", bytes) === name ? parseTree(bytes) : undefined;
  }
}

const contentOf = ({ mode, mtime, entries }: KnownTree): SnapshotTree => ({
  mode,
  mtime,
  entries: Array.from(entries.values(), ({ entry }) => entry),
});

function hasContent(there: KnownEntry | undefined, wanted: SnapshotEntry): boolean {
  if (there?.entry.type !== "file" || wanted.type !== "file") return false;
  const { blobs } = there.entry;
  return blobs.length === wanted.blobs.length && blobs.every((blob, at) => blob === wanted.blobs[at]);
}

/** `tied` gets those with further names of files in them. */
function indexTrees(tree: KnownTree, into: Map<string, KnownTree>, tied: Set<KnownTree>): void {
  into.set(tree.tree, tree);
  for (const { entry, directory } of tree.entries.values()) {
    if (directory !== undefined) indexTrees(directory, into, tied);
    if (entry.type === "twin" || (directory !== undefined && tied.has(directory))) tied.add(tree);
  }
}
