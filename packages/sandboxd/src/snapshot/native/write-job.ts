import type { SnapshotFile } from "@handrail/protocol/snapshots";
import { timeOf, type FileStat, type StatNumbers, type Time } from "./file-stat.ts";
import type { BundledPiece, PackedBundle } from "../objects/open-bundles.ts";

/**
 * Files to be written into one open directory where nothing has their names, in few values: each costs time on its way to
 * another thread, and in a sandboxd that has just started a loop over numbers is far ahead of one over objects. `names`
 * has one byte for each character, and a zero after each name; `numbers` has `FILE_NUMBERS` of each file, as `FILE` says.
 */
export type WriteJob = {
  readonly id: number;
  readonly directory: number;
  readonly names: Uint8Array<ArrayBuffer>;
  readonly numbers: Uint32Array<ArrayBuffer>;
  /** The content of files that are in no bundle, one after another. */
  readonly content: Uint8Array<ArrayBuffer>;
  readonly bundles: readonly PackedBundle[];
};

/**
 * Where a name begins in `names`; the mode; the time in seconds, as two halves of a signed number, and nanoseconds; in which
 * of `bundles` the content is, from 1 on, or 0 for `content`; where, and how many bytes: of a bundle, of the whole frame.
 */
export const FILE = { name: 0, mode: 1, seconds: 2, high: 3, nanoseconds: 4, source: 5, at: 6, bytes: 7 } as const;
export const FILE_NUMBERS = 8;

const HALF = 2 ** 32;
const SECOND = 1_000_000_000n;
const NANOSECOND_DIGITS = 9;

/** Collects the files of a job. */
export class JobBuilder {
  readonly #numbers: number[] = [];
  #names = "";
  readonly #bundles = new Map<number, { readonly number: number; readonly bundle: PackedBundle }>();
  readonly #loose: Uint8Array[] = [];
  #looseBytes = 0;

  /** `piece` is all of the content; the name has one character for each byte. */
  add(name: string, { mode, mtime }: SnapshotFile, piece: Uint8Array | BundledPiece | undefined): void {
    const numbers = this.#numbers;
    numbers.push(this.#names.length, mode);
    pushTime(numbers, mtime);
    this.#names += `${name}\0`;
    if (piece === undefined) numbers.push(0, 0, 0);
    else if ("bundle" in piece) numbers.push(this.#numberOf(piece.bundle), piece.at, piece.bytes);
    else {
      numbers.push(0, this.#looseBytes, piece.length);
      this.#loose.push(piece);
      this.#looseBytes += piece.length;
    }
  }

  build(id: number, directory: number): WriteJob {
    const content = new Uint8Array(this.#looseBytes);
    let at = 0;
    for (const piece of this.#loose) {
      content.set(piece, at);
      at += piece.length;
    }
    return {
      id,
      directory,
      names: bytesOf(this.#names),
      numbers: new Uint32Array(this.#numbers),
      content,
      bundles: Array.from(this.#bundles.values(), ({ bundle: { id, size, data } }) => ({ id, size, data })),
    };
  }

  #numberOf(bundle: PackedBundle): number {
    const known = this.#bundles.get(bundle.id);
    if (known !== undefined) return known.number;
    const number = this.#bundles.size + 1;
    this.#bundles.set(bundle.id, { number, bundle });
    return number;
  }
}

/** In a buffer of their own: small arrays without one move when they get one. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(new ArrayBuffer(text.length));
  bytes.write(text, "latin1");
  return bytes;
}

/** Without the exact arithmetic of large numbers where there is no need: most times are later than 1970. */
function pushTime(numbers: number[], mtime: string): void {
  if (mtime.length > NANOSECOND_DIGITS && !mtime.startsWith("-")) {
    const seconds = Number(mtime.slice(0, -NANOSECOND_DIGITS));
    numbers.push(seconds % HALF, Math.floor(seconds / HALF), Number(mtime.slice(-NANOSECOND_DIGITS)));
    return;
  }
  numbers.push(...timeNumbers(BigInt(mtime)));
}

/** Seconds as the halves of a signed number, the lower first, and nanoseconds. */
function timeNumbers(time: bigint): [number, number, number] {
  const { seconds, nanoseconds } = timeOf(time);
  return [...halves(BigInt(seconds)), nanoseconds];
}

const halves = (value: bigint): [number, number] => [
  Number(BigInt.asUintN(32, value)),
  Number(BigInt.asUintN(32, value >> 32n)),
];

/** The time of a file of a job, in nanoseconds since 1970. */
export function timeIn({ numbers }: WriteJob, index: number): bigint {
  const at = index * FILE_NUMBERS;
  const half = (offset: number) => BigInt(numbers[at + offset] ?? 0);
  return BigInt.asIntN(64, (half(FILE.high) << 32n) | half(FILE.seconds)) * SECOND + half(FILE.nanoseconds);
}

/** What files of a job are when they are written, some numbers of each; the first is the mode, 0 of one that is not written. */
export type Stats = Uint32Array<ArrayBuffer>;

/** Numbers larger than 32 bits are in two halves, the lower first; times are seconds, and nanoseconds after them. */
export const STAT = {
  mode: 0,
  links: 1,
  uid: 2,
  gid: 3,
  device: 4,
  inode: 5,
  size: 7,
  changed: 9,
  modified: 12,
} as const;
export const STAT_NUMBERS = 15;

export type WriteReply = { readonly id: number; readonly stats: Stats };

export const emptyStats = ({ numbers }: Pick<WriteJob, "numbers">): Stats =>
  new Uint32Array((numbers.length / FILE_NUMBERS) * STAT_NUMBERS);

export function encodeStat(stats: Stats, index: number, stat: FileStat): void {
  const at = index * STAT_NUMBERS;
  const numbers = [stat.mode, stat.links, stat.uid, stat.gid, stat.device];
  const large = [...halves(stat.inode), ...halves(BigInt(stat.size))];
  stats.set([...numbers, ...large, ...timeNumbers(stat.changedNs), ...timeNumbers(stat.modifiedNs)], at);
}

/** What a file of a job is, read when it is asked for. */
export class WrittenStat implements FileStat {
  readonly #stats: Stats;
  readonly #at: number;

  constructor(stats: Stats, index: number) {
    this.#stats = stats;
    this.#at = index * STAT_NUMBERS;
  }

  get mode(): number {
    return this.#number(STAT.mode);
  }
  get links(): number {
    return this.#number(STAT.links);
  }
  get uid(): number {
    return this.#number(STAT.uid);
  }
  get gid(): number {
    return this.#number(STAT.gid);
  }
  get device(): number {
    return this.#number(STAT.device);
  }
  get size(): number {
    return this.#number(STAT.size) + this.#number(STAT.size + 1) * HALF;
  }
  get inode(): bigint {
    return BigInt.asUintN(64, this.#large(STAT.inode));
  }
  get changedNs(): bigint {
    return this.#time(STAT.changed);
  }
  get modifiedNs(): bigint {
    return this.#time(STAT.modified);
  }

  get numbers(): StatNumbers {
    const [changed, modified] = [this.#parts(STAT.changed), this.#parts(STAT.modified)];
    return { changed, modified, inode: this.#number(STAT.inode) };
  }

  #parts(offset: number): Time {
    const seconds = this.#number(offset) + (this.#number(offset + 1) | 0) * HALF;
    return { seconds, nanoseconds: this.#number(offset + 2) };
  }

  #number(offset: number): number {
    return this.#stats[this.#at + offset] ?? 0;
  }

  #large(offset: number): bigint {
    return (BigInt(this.#number(offset + 1)) << 32n) | BigInt(this.#number(offset));
  }

  #time(offset: number): bigint {
    return BigInt.asIntN(64, this.#large(offset)) * SECOND + BigInt(this.#number(offset + 2));
  }
}

/** Undefined of one that is not written. */
export const statIn = (stats: Stats, index: number): WrittenStat | undefined =>
  (stats[index * STAT_NUMBERS] ?? 0) === 0 ? undefined : new WrittenStat(stats, index);
