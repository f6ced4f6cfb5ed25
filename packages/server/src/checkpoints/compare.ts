import type { FileChange } from "@handrail/protocol/changes";
import { byteText, textOfBytes, type SnapshotEntry, type SnapshotTree } from "@handrail/protocol/snapshots";
import { turns } from "./turns.ts";

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
export async function compareTrees(from: string, to: string, trees: Trees): Promise<Difference[]> {
  const found: Difference[] = [];
  const rest = turns();
  const entriesOf = (name: string | undefined) => (name === undefined ? [] : (trees(name)?.entries ?? []));
  const compare = async (one: string | undefined, other: string | undefined, path: string, inGit: boolean) => {
    if (one === other) return;
    for (const { name, old, now } of pairsOf(entriesOf(one), entriesOf(other))) {
      const resting = rest();
      if (resting !== undefined) await resting;
      const below = path === "" ? name : `${path}/${name}`;
      const git = inGit || name === ".git";
      const [oldTree, nowTree] = [treeOf(old), treeOf(now)];
      if (oldTree !== undefined || nowTree !== undefined) await compare(oldTree, nowTree, below, git);
      const [oldLeaf, nowLeaf] = [leafOf(old), leafOf(now)];
      if (!isSame(oldLeaf, nowLeaf)) found.push(differenceAt(below, { git, before: oldLeaf, after: nowLeaf }));
    }
  };
  await compare(from, to, "", false);
  return found;
}

/** What is under one name on two sides; the name as bytes. */
export type Pair = {
  readonly name: string;
  readonly old: SnapshotEntry | undefined;
  readonly now: SnapshotEntry | undefined;
};

/** The entries of two directories by name, in the order that both are in. */
export function* pairsOf(before: readonly SnapshotEntry[], after: readonly SnapshotEntry[]): Generator<Pair> {
  for (let [one, other] = [0, 0]; ;) {
    const [oldName, nowName] = [nameAt(before, one), nameAt(after, other)];
    const name = oldName < nowName ? oldName : nowName;
    if (name === AFTER_ALL) return;
    const [isOld, isNow] = [oldName === name, nowName === name];
    yield { name, old: isOld ? before[one] : undefined, now: isNow ? after[other] : undefined };
    one += Number(isOld);
    other += Number(isNow);
  }
}

/** No byte. */
const AFTER_ALL = "\u0100";

function nameAt(entries: readonly SnapshotEntry[], at: number): string {
  const entry = entries[at];
  return entry === undefined ? AFTER_ALL : byteText(entry.name);
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
    entry = tree && entryIn(tree.entries, name);
    tree = entry?.type === "directory" ? trees(entry.tree) : undefined;
  }
  return entry;
}

function toFileChange({ path, before, after }: Difference): FileChange {
  const status =
    before === undefined ? "added" : after === undefined ? "deleted" : before.type === after.type ? "modified" : "type";
  return { path, status, binary: false };
}

/** By the name as bytes, which entries are in the order of. */
function entryIn(entries: readonly SnapshotEntry[], name: string): SnapshotEntry | undefined {
  let [from, to] = [0, entries.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (byteText(entries[middle]?.name ?? "") < name) from = middle + 1;
    else to = middle;
  }
  const found = entries[from];
  return found !== undefined && byteText(found.name) === name ? found : undefined;
}

const treeOf = (entry: SnapshotEntry | undefined) => (entry?.type === "directory" ? entry.tree : undefined);
const leafOf = (entry: SnapshotEntry | undefined) => (entry?.type === "directory" ? undefined : entry);

function isSame(one: SnapshotEntry | undefined, other: SnapshotEntry | undefined): boolean {
  return JSON.stringify(timeless(one)) === JSON.stringify(timeless(other));
}

function timeless(entry: SnapshotEntry | undefined) {
  return entry !== undefined && "mtime" in entry ? { ...entry, mtime: "" } : entry;
}
