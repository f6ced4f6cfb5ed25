import type { FileChange } from "@handrail/protocol/changes";
import { byteText, textOfBytes, type SnapshotEntry, type SnapshotTree } from "@handrail/protocol/snapshots";

/** `git`: it is in what git keeps for itself, also that of a repository, submodule or worktree within the workspace. */
export type Difference = {
  readonly path: string;
  readonly git: boolean;
  readonly before: SnapshotEntry | undefined;
  readonly after: SnapshotEntry | undefined;
};

type Trees = (name: string) => SnapshotTree | undefined;

/**
 * What differs between two snapshots, by path: content, kind or mode. Times alone are no difference. A path is made when it is
 * asked for: few directories can unfold to very many long ones.
 */
export function compareTrees(from: string, to: string, trees: Trees): Difference[] {
  const found: Difference[] = [];
  const compare = (one: string | undefined, other: string | undefined, path: string, inGit: boolean): void => {
    if (one === other) return;
    const before = byName(one, trees);
    const after = byName(other, trees);
    const names = [...new Set([...before.keys(), ...after.keys()])].toSorted((a, b) => (a < b ? -1 : 1));
    for (const name of names) {
      const below = path === "" ? name : `${path}/${name}`;
      const [old, now] = [before.get(name), after.get(name)];
      const git = inGit || name === ".git";
      const [oldTree, nowTree] = [treeOf(old), treeOf(now)];
      if (oldTree !== undefined || nowTree !== undefined) compare(oldTree, nowTree, below, git);
      const [oldLeaf, nowLeaf] = [leafOf(old), leafOf(now)];
      if (!isSame(oldLeaf, nowLeaf)) found.push(differenceAt(below, { git, before: oldLeaf, after: nowLeaf }));
    }
  };
  compare(from, to, "", false);
  return found;
}

const differenceAt = (bytes: string, { git, before, after }: Omit<Difference, "path">): Difference => ({
  get path() {
    return textOfBytes(bytes);
  },
  git,
  before,
  after,
});

const MAX_CHANGES = 5000;

/** What a user is shown of what differs. `leftOut`: how many files more differ that are git's own. */
export type Changes = { changes: FileChange[]; more: boolean; leftOut: number };

/** What differs, as users look at it: without what git keeps in `.git`, unless they want that too. */
export function changesBetween(found: readonly Difference[], withGit: boolean): Changes {
  const shown = withGit ? found : found.filter(({ git }) => !git);
  return {
    changes: shown.slice(0, MAX_CHANGES).map(toFileChange),
    more: shown.length > MAX_CHANGES,
    leftOut: found.length - shown.length,
  };
}

/** One path in a snapshot; undefined when there is no such file. */
export function findEntry(root: string, path: string, trees: Trees): SnapshotEntry | undefined {
  let tree = trees(root);
  let entry: SnapshotEntry | undefined;
  for (const name of byteText(path).split("/")) {
    entry = tree?.entries.find((candidate) => byteText(candidate.name) === name);
    tree = entry?.type === "directory" ? trees(entry.tree) : undefined;
  }
  return entry;
}

function toFileChange({ path, before, after }: Difference): FileChange {
  const status =
    before === undefined ? "added" : after === undefined ? "deleted" : before.type === after.type ? "modified" : "type";
  return { path, status, binary: false };
}

function byName(name: string | undefined, trees: Trees): Map<string, SnapshotEntry> {
  const entries = name === undefined ? [] : (trees(name)?.entries ?? []);
  return new Map(entries.map((entry) => [byteText(entry.name), entry]));
}

const treeOf = (entry: SnapshotEntry | undefined) => (entry?.type === "directory" ? entry.tree : undefined);
const leafOf = (entry: SnapshotEntry | undefined) => (entry?.type === "directory" ? undefined : entry);

function isSame(one: SnapshotEntry | undefined, other: SnapshotEntry | undefined): boolean {
  return JSON.stringify(timeless(one)) === JSON.stringify(timeless(other));
}

function timeless(entry: SnapshotEntry | undefined) {
  return entry !== undefined && "mtime" in entry ? { ...entry, mtime: "" } : entry;
}
