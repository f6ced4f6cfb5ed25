import { lstatSync, rmdirSync, unlinkSync } from "node:fs";
import type { SnapshotEntry } from "@handrail/protocol/snapshots";
import type { KnownEntry, KnownTree } from "../objects/known-tree.ts";
import { systemPath } from "../native/open-inside.ts";
import { fullPath, namesIn, pathIn } from "../native/open-place.ts";
import type { OpenPlaces, Place } from "../native/open-places.ts";

/** A directory that is worked in, and what a walk saw in it. */
type Here = { readonly place: Place; readonly path: string; readonly present: KnownTree | undefined };

/** A directory that is being emptied: the names that are left, and whether all so far went. */
type Emptying = Here & { readonly name: string; readonly names: string[]; empty: boolean };

/** Takes away what a snapshot does not have. What the walk did not see, or what no snapshot holds, stays. */
export class Remover {
  removed = 0;
  readonly #workspace: string;
  readonly #places: OpenPlaces;
  readonly #onRemoved: (path: string) => void;

  constructor(workspace: string, places: OpenPlaces, onRemoved: (path: string) => void) {
    this.#workspace = workspace;
    this.#places = places;
    this.#onRemoved = onRemoved;
  }

  /**
   * Makes room for an entry. A file takes the place of another one in one step, so that one may stay until then: not
   * one that is in no snapshot because of its size, which would be lost for good.
   * @throws when what is there has to stay
   */
  makeRoom(here: Here, name: string, type: SnapshotEntry["type"]): void {
    const there = lstatSync(systemPath(`${here.place.at}/${name}`), { throwIfNoEntry: false });
    if (type !== "file" || there?.isDirectory() === true || isTooLarge(here.present?.entries.get(name))) {
      this.clear(here, name);
    }
  }

  /** Makes room for something else under a name. @throws when what is there has to stay */
  clear(here: Here, name: string): void {
    if (lstatSync(systemPath(`${here.place.at}/${name}`), { throwIfNoEntry: false }) === undefined) return;
    if (!this.remove(here, name)) throw new Error("what is there is in no snapshot, and stays");
  }

  /** Whether it is gone. */
  remove(here: Here, name: string): boolean {
    const kind = this.#kindOf(here, name);
    if (kind === "directory") return this.#removeDirectory(here, name);
    if (kind === "leaf") this.#removeLeaf(here, name);
    return kind === "leaf";
  }

  /** What it is, where it may go. */
  #kindOf({ place, present }: Here, name: string): "directory" | "leaf" | undefined {
    const known = present?.entries.get(name);
    if (known === undefined || known.entry.type === "left-out") return undefined;
    return lstatSync(systemPath(`${place.at}/${name}`)).isDirectory() ? "directory" : "leaf";
  }

  #removeLeaf(here: Here, name: string): void {
    unlinkSync(systemPath(`${here.place.at}/${name}`));
    this.removed += 1;
    this.#onRemoved(pathIn(here, name));
  }

  /** Not by recursion: as deep as trees may be, neither the stack nor the open files would do. */
  #removeDirectory(here: Here, name: string): boolean {
    let last = this.#emptying(here, name);
    const open = [last];
    try {
      for (;;) {
        const next = last.names.pop();
        if (next !== undefined) {
          last = this.#removeIn(last, next, open);
          continue;
        }
        open.pop();
        const above = open.at(-1);
        if (above === undefined) return this.#ended(last, here);
        above.place.hold();
        above.empty = this.#ended(last, above) && above.empty;
        last = above;
      }
    } finally {
      for (const { place } of open) place.shut();
    }
  }

  /** Gives the directory that is to be emptied next. */
  #removeIn(last: Emptying, name: string, open: Emptying[]): Emptying {
    const kind = this.#kindOf(last, name);
    if (kind === "directory") {
      const below = this.#emptying(last, name);
      open.push(below);
      last.place.letGo();
      return below;
    }
    if (kind === "leaf") this.#removeLeaf(last, name);
    else last.empty = false;
    return last;
  }

  #emptying(here: Here, name: string): Emptying {
    const path = pathIn(here, name);
    const place = this.#places.open(fullPath(this.#workspace, path));
    const present = here.present?.entries.get(name)?.directory;
    return { place, path, present, name, names: namesIn(place.at), empty: true };
  }

  /** Whether it is gone. */
  #ended({ place, name, empty }: Emptying, above: Here): boolean {
    place.shut();
    if (empty) rmdirSync(systemPath(`${above.place.at}/${name}`));
    return empty;
  }
}

const isTooLarge = (known: KnownEntry | undefined): boolean =>
  known?.entry.type === "left-out" && (known.entry.reason === "large" || known.entry.reason === "total");
