import type { FileStat } from "../snapshot/native/file-stat.ts";
import { RestoredIndex } from "./restored-index.ts";

/** A file that was written a moment ago: what the system says of it, and its content. */
type WrittenFile = { readonly path: string; readonly stat: FileStat; readonly pieces: Iterable<Uint8Array> };

/** Of files that come before the index. Beyond so many git reads the files itself. */
const MAX_EARLY = 10_000;

/**
 * Files of an empty workspace that a restore fills, by path, one character for each byte. Git is told of them when the
 * workspace begins, so that it does not read them all once more.
 */
export class WrittenFiles {
  #index: RestoredIndex | undefined;
  #early: WrittenFile[] = [];

  /** `pieces` are the file's content. The repository's own files are not git's to read; its index names the others. */
  add(path: string, stat: FileStat, pieces: Iterable<Uint8Array>): void {
    if (path === ".git/index") this.#begin(new RestoredIndex(Buffer.concat([...pieces]), stat.modifiedNs));
    else if (path.startsWith(".git/")) return;
    else if (this.#index !== undefined) this.#index.add(path, stat, pieces);
    else if (this.#early.length <= MAX_EARLY) this.#early.push({ path, stat, pieces });
  }

  /** They are forgotten with it. Undefined where no index was written. */
  take(): RestoredIndex | undefined {
    const index = this.#index;
    this.#index = undefined;
    this.#early = [];
    return index;
  }

  #begin(index: RestoredIndex): void {
    this.#index = index;
    if (this.#early.length > MAX_EARLY) index.addOther();
    for (const { path, stat, pieces } of this.#early) index.add(path, stat, pieces);
    this.#early = [];
  }
}
