import { lstatSync, rmdirSync, unlinkSync } from "node:fs";
import type { SnapshotEntry } from "@handrail/protocol/snapshots";
import type { KnownEntry, KnownTree } from "./known-tree.ts";
import { systemPath } from "./open-inside.ts";
import { fullPath, namesIn, openPlace, pathIn } from "./open-place.ts";

/** A directory that is worked in, and what a walk saw in it. */
type Here = { readonly at: string; readonly path: string; readonly present: KnownTree | undefined };

/** Takes away what a snapshot does not have. What the walk did not see, or what no snapshot holds, stays. */
export class Remover {
  removed = 0;
  readonly #workspace: string;
  readonly #onRemoved: (path: string) => void;

  constructor(workspace: string, onRemoved: (path: string) => void) {
    this.#workspace = workspace;
    this.#onRemoved = onRemoved;
  }

  /**
   * Makes room for an entry. A file takes the place of another one in one step, so that one may stay until then: not
   * one that is in no snapshot because of its size, which would be lost for good.
   * @throws when what is there has to stay
   */
  makeRoom(here: Here, name: string, type: SnapshotEntry["type"]): void {
    const there = lstatSync(systemPath(`${here.at}/${name}`), { throwIfNoEntry: false });
    if (type !== "file" || there?.isDirectory() === true || isTooLarge(here.present?.entries.get(name))) {
      this.clear(here, name);
    }
  }

  /** Makes room for something else under a name. @throws when what is there has to stay */
  clear(here: Here, name: string): void {
    if (lstatSync(systemPath(`${here.at}/${name}`), { throwIfNoEntry: false }) === undefined) return;
    if (!this.remove(here, name)) throw new Error("what is there is in no snapshot, and stays");
  }

  /** Whether it is gone. */
  remove({ at, path, present }: Here, name: string): boolean {
    const known = present?.entries.get(name);
    if (known === undefined || known.entry.type === "left-out") return false;
    const full = systemPath(`${at}/${name}`);
    if (lstatSync(full).isDirectory()) {
      if (!this.#empty(pathIn({ path }, name), known.directory)) return false;
      rmdirSync(full);
      return true;
    }
    unlinkSync(full);
    this.removed += 1;
    this.#onRemoved(pathIn({ path }, name));
    return true;
  }

  /** Removes what is in a directory; whether nothing is left. */
  #empty(path: string, present: KnownTree | undefined): boolean {
    const { at, close } = openPlace(fullPath(this.#workspace, path));
    try {
      let empty = true;
      for (const name of namesIn(at)) empty = this.remove({ at, path, present }, name) && empty;
      return empty;
    } finally {
      close();
    }
  }
}

const isTooLarge = (known: KnownEntry | undefined): boolean =>
  known?.entry.type === "left-out" && (known.entry.reason === "large" || known.entry.reason === "total");
