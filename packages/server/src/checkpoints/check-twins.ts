import { AppError } from "@handrail/protocol/errors";
import { byteText, type SnapshotEntry, type SnapshotTree } from "@handrail/protocol/snapshots";
import type { Checked } from "./closure.ts";
import { eachInTurn, turns } from "./turns.ts";

/** Directories by name, and what was found of each. */
type Known = {
  readonly treeAt: (name: string) => SnapshotTree;
  readonly checked: (name: string) => Pick<Checked, "entries" | "twins">;
};

/**
 * Checks that each second name of a file names one that comes before it. Places are numbered in the order in which trees
 * are walked: paths would take very many times the bytes that few directories have which unfold to very many.
 * @throws AppError `checkpoint_invalid`
 */
export async function checkTwins(root: string, known: Known): Promise<void> {
  const places = new Places(root, known);
  const rest = turns();
  const walk = async (name: string, first: number): Promise<void> => {
    let at = first;
    for (const entry of known.treeAt(name).entries) {
      const resting = rest();
      if (resting !== undefined) await resting;
      if (entry.type === "twin" && ((await places.of(entry.of)) ?? at) >= at) {
        throw new AppError("checkpoint_invalid", "A second name of a file names none.");
      }
      if (entry.type === "directory" && known.checked(entry.tree).twins) await walk(entry.tree, at + 1);
      at += placesOf(entry, known);
    }
  };
  await walk(root, 0);
}

/** An entry's own, and those of all that is in it. */
const placesOf = (entry: SnapshotEntry, { checked }: Known): number =>
  entry.type === "directory" ? 1 + checked(entry.tree).entries : 1;

/** An entry of a directory, and how many places are in that before it. */
type Placed = { readonly entry: SnapshotEntry; readonly before: number };

/** Numbers of files by path. */
class Places {
  readonly #root: string;
  readonly #known: Known;
  readonly #found = new Map<string, number | undefined>();
  readonly #placed = new Map<string, ReadonlyMap<string, Placed>>();

  constructor(root: string, known: Known) {
    this.#root = root;
    this.#known = known;
  }

  /** Undefined of what is no file, and of a second name. */
  async of(path: string): Promise<number | undefined> {
    if (!this.#found.has(path)) this.#found.set(path, await this.#look(byteText(path).split("/")));
    return this.#found.get(path);
  }

  async #look(names: readonly string[]): Promise<number | undefined> {
    let tree: string | undefined = this.#root;
    let at = 0;
    let entry: SnapshotEntry | undefined;
    for (const name of names) {
      const placed: Placed | undefined = tree === undefined ? undefined : (await this.#in(tree)).get(name);
      if (placed === undefined) return undefined;
      at += placed.before + (entry === undefined ? 0 : 1);
      ({ entry } = placed);
      tree = entry.type === "directory" ? entry.tree : undefined;
    }
    return entry === undefined || ["directory", "twin", "left-out"].includes(entry.type) ? undefined : at;
  }

  async #in(tree: string): Promise<ReadonlyMap<string, Placed>> {
    const known = this.#placed.get(tree);
    if (known !== undefined) return known;
    const placed = new Map<string, Placed>();
    let before = 0;
    await eachInTurn(this.#known.treeAt(tree).entries, (entry) => {
      placed.set(byteText(entry.name), { entry, before });
      before += placesOf(entry, this.#known);
    });
    this.#placed.set(tree, placed);
    return placed;
  }
}
