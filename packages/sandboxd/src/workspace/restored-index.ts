import { createHash } from "node:crypto";
import { type FileStat, isLink, numbersOf, type StatNumbers, type Time, timeOf } from "../snapshot/native/file-stat.ts";
import { AT, BLOB_BYTES, eachEntry, entryCount, plainMode, sealIndex, type Sizes } from "./git-index.ts";

/**
 * The git index of a workspace that is being restored. It is told what the system says of files whose content is what it
 * has of them, so that git need not read them; of others it says what it said.
 */
export class RestoredIndex {
  readonly #asRestored: Buffer;
  readonly #stamped: Buffer;
  readonly #written: Time;
  /** Where the entries are that no file has come for yet. */
  readonly #places = new Map<string, number>();
  #stamps = 0;
  #same = 0;
  #others = 0;
  #bytes = 0;

  /** `writtenNs`: when it was, in nanoseconds since 1970. */
  constructor(index: Buffer, writtenNs: bigint) {
    this.#asRestored = index;
    this.#stamped = Buffer.from(index);
    this.#written = timeOf(writtenNs);
    eachEntry(index, (at, path) => this.#places.set(path, at));
  }

  /** A file that was just written, by its path, one character for each byte; `pieces` are its content. */
  add(path: string, stat: FileStat, pieces: Iterable<Uint8Array>): void {
    const at = this.#places.get(path);
    this.#places.delete(path);
    const numbers = numbersOf(stat);
    if (at === undefined || !(this.#isKnown(at, stat.size, numbers) || this.#hasContent(at, stat.size, pieces))) {
      this.#others += 1;
      return;
    }
    stamp(this.#stamped, at, { ...numbers, stat });
    this.#stamps += 1;
    if (plainMode(this.#stamped, at) === gitMode(stat)) this.#same += 1;
    else this.#others += 1;
    this.#bytes += stat.size % 2 ** 32;
  }

  /** A file that was written and is not added. */
  addOther(): void {
    this.#others += 1;
  }

  /** `index`, which the workspace has, with all that was added. Undefined when it is another, or nothing was added to it. */
  stampedFrom(index: Buffer): Buffer | undefined {
    if (this.#stamps === 0 || !index.equals(this.#asRestored)) return undefined;
    sealIndex(this.#stamped);
    return this.#stamped;
  }

  /** How much is in it, when all of it is files that were added, and all those are in it. Undefined when not. */
  get whole(): Sizes | undefined {
    const isWhole = this.#same > 0 && this.#others === 0 && this.#same === entryCount(this.#asRestored);
    return isWhole ? { files: this.#same, bytes: this.#bytes } : undefined;
  }

  /**
   * Whether size and time say that the content is still what the index has. Git believes them in the same way, and as it
   * does, this believes nothing of a file that is not older than the index: it could have changed since within a step of
   * the clock. Where one of two times has whole seconds only, as file systems without finer ones keep, whole seconds are
   * compared.
   * Source: git's Documentation/technical/racy-git.txt
   */
  #isKnown(at: number, size: number, { modified }: StatNumbers): boolean {
    const index = this.#asRestored;
    // The size of an entry that git must compare is written as 0.
    if (size === 0 || index.readUInt32BE(at + AT.size) !== size) return false;
    const seconds = index.readUInt32BE(at + AT.mtime);
    const nanoseconds = index.readUInt32BE(at + AT.mtime + 4);
    return compareTimes({ seconds, nanoseconds }, modified) === 0 && compareTimes(modified, this.#written) < 0;
  }

  #hasContent(at: number, size: number, pieces: Iterable<Uint8Array>): boolean {
    const blobAt = at + AT.blob;
    return this.#asRestored.compare(gitBlob(size, pieces), 0, BLOB_BYTES, blobAt, blobAt + BLOB_BYTES) === 0;
  }
}

function compareTimes(one: Time, other: Time): number {
  if (one.seconds !== other.seconds || one.nanoseconds === 0 || other.nanoseconds === 0)
    return one.seconds - other.seconds;
  return one.nanoseconds - other.nanoseconds;
}

/** git hash-object: the kind and the size go before the content. */
function gitBlob(size: number, pieces: Iterable<Uint8Array>): Uint8Array {
  const hash = createHash("sha1").update(`blob ${size}\0`);
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}

/** Git knows links, and of a file's permissions whether its owner may run it. */
function gitMode(stat: FileStat): number {
  if (isLink(stat)) return 0o120000;
  return (stat.mode & 0o100) === 0 ? 0o100644 : 0o100755;
}

function stamp(index: Buffer, at: number, { stat, changed, modified, inode }: StatNumbers & { stat: FileStat }): void {
  const write = (value: number, offset: number) => index.writeUInt32BE(value, at + offset);
  write(changed.seconds >>> 0, AT.ctime);
  write(changed.nanoseconds, AT.ctime + 4);
  write(modified.seconds >>> 0, AT.mtime);
  write(modified.nanoseconds, AT.mtime + 4);
  write(stat.device, AT.dev);
  write(inode, AT.ino);
  write(stat.uid, AT.uid);
  write(stat.gid, AT.gid);
  write(stat.size % 2 ** 32, AT.size);
}
