import { statfsSync } from "node:fs";
import { FILE_BYTES } from "../shared-space.ts";
import { PAGE } from "./fuse-abi.ts";

/** Each name counts as so many bytes, which covers what a directory stores of it. */
const NAME_BYTES = 512;
/** As many bytes there are for each file on a disk of the same size. Source: mke2fs.conf(5), inode_ratio */
const BYTES_PER_NAME = 16 * 1024;
/** What the machine keeps free, whatever is left here. It is looked at each time so much more was written. */
const RESERVE_BYTES = 512 * 1024 ** 2;
const LOOK_AFTER_BYTES = 16 * 1024 ** 2;

/** What is stored below a directory, and what may be. */
export class Space {
  readonly limit: number;
  readonly mostNames: number;
  /** What is given to files at least at a time. */
  readonly block = Math.max(PAGE, statfsSync("/").bsize);
  readonly #free: () => number;
  #bytes = 0;
  #names = 0;
  #unlooked = LOOK_AFTER_BYTES;

  /** `free`: how many bytes the machine has left. */
  constructor(limit: number, free: () => number = freeBytes) {
    this.limit = limit;
    this.mostNames = Math.floor(limit / BYTES_PER_NAME);
    this.#free = free;
  }

  /** Whether there is room for so many bytes more, also on the machine. */
  admits(bytes: number): boolean {
    return this.#used + bytes <= this.limit && !this.#takesTheLast(bytes);
  }

  admitsName(): boolean {
    const isBelow = this.#names < this.mostNames && this.#used + NAME_BYTES <= this.limit;
    return isBelow && !this.#takesTheLast(FILE_BYTES);
  }

  addBytes(bytes: number): void {
    this.#bytes += bytes;
  }

  addNames(names: number): void {
    this.#names += names;
  }

  get left(): number {
    return Math.max(0, this.limit - this.#used);
  }

  get namesLeft(): number {
    return Math.max(0, this.mostNames - this.#names);
  }

  get #used(): number {
    return this.#bytes + this.#names * NAME_BYTES;
  }

  #takesTheLast(bytes: number): boolean {
    this.#unlooked += bytes;
    if (this.#unlooked < LOOK_AFTER_BYTES) return false;
    if (this.#free() - bytes < RESERVE_BYTES) return true;
    this.#unlooked = 0;
    return false;
  }
}

/** Some say nothing of files. */
function freeBytes(): number {
  const { bavail, bsize, files, ffree } = statfsSync("/");
  return Math.min(bavail * bsize, files === 0 ? Number.POSITIVE_INFINITY : ffree * FILE_BYTES);
}
