import { createHash } from "node:crypto";
import type { FileStat } from "../snapshot/file-stat.ts";

/** A file that was written a moment ago: what git calls its content, 20 bytes, and what the system says of it. */
export type WrittenFile = { readonly blob: Uint8Array; readonly stat: FileStat };

/** Beyond so many git reads the files itself. */
const MAX_FILES = 200_000;

/**
 * Files of an empty workspace that a restore fills, by path, one character for each byte. Git is told of them when the
 * workspace begins, so that it does not read them all once more.
 */
export class WrittenFiles {
  #files = new Map<string, WrittenFile>();

  /** `pieces` are the file's content. */
  add(path: string, stat: FileStat, pieces: readonly Uint8Array[]): void {
    if (this.#files.size >= MAX_FILES) return;
    // git hash-object: the kind and the size go before the content.
    const hash = createHash("sha1").update(`blob ${stat.size}\0`);
    for (const piece of pieces) hash.update(piece);
    this.#files.set(path, { blob: hash.digest(), stat });
  }

  /** They are forgotten with it. */
  take(): ReadonlyMap<string, WrittenFile> {
    const files = this.#files;
    this.#files = new Map();
    return files;
  }
}
