import { createHash } from "node:crypto";
import { numbersOf, type FileStat } from "../snapshot/file-stat.ts";
import { blobsOf, type KnownBlobs } from "./known-blobs.ts";

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
  #known: KnownBlobs | undefined;

  /** `pieces` are the file's content. The repository's own files are not git's to read; its index names the others. */
  add(path: string, stat: FileStat, pieces: Iterable<Uint8Array>): void {
    if (path === ".git/index") this.#known = blobsOf(Buffer.concat([...pieces]), stat.modifiedNs);
    if (path.startsWith(".git/") || this.#files.size >= MAX_FILES) return;
    this.#files.set(path, { blob: this.#blobIn(path, stat) ?? gitBlob(stat.size, pieces), stat });
  }

  #blobIn(path: string, stat: FileStat): Uint8Array | undefined {
    return this.#known?.(path, { size: stat.size, modified: numbersOf(stat).modified });
  }

  /** They are forgotten with it. */
  take(): ReadonlyMap<string, WrittenFile> {
    const files = this.#files;
    this.#files = new Map();
    this.#known = undefined;
    return files;
  }
}

/** git hash-object: the kind and the size go before the content. */
function gitBlob(size: number, pieces: Iterable<Uint8Array>): Uint8Array {
  const hash = createHash("sha1").update(`blob ${size}\0`);
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}
