import { rmSync } from "node:fs";
import { plainPieceAt } from "@handrail/protocol/sandboxd/object-frames";
import { AT_EMPTY_PATH, deviceOf, type Statx, STATX_BASIC_STATS, STATX_BYTES } from "./native-stat.ts";
import { FRESH_FILE } from "./native-write.ts";
import { systemPath } from "./open-inside.ts";
import type { OpenBundles } from "../objects/open-bundles.ts";
import { emptyStats, FILE, FILE_NUMBERS, STAT, STAT_NUMBERS, type Stats, type WriteJob } from "./write-job.ts";

/** openat(2), write(2), futimens(3), fchmod(2), close(2) and statx(2) of the C library, which take pointers as numbers. */
export type QuickCalls = {
  readonly openat: (directory: number, name: number, flags: number, mode: number) => number;
  readonly write: (file: number, bytes: number, length: number) => number;
  readonly futimens: (file: number, times: number) => number;
  readonly fchmod: (file: number, mode: number) => number;
  readonly close: (file: number) => number;
  readonly statx: Statx;
  readonly pointerTo: (bytes: ArrayBufferView) => number;
};

/** Where the content of a job's next files is. */
type Source = { readonly number: number; readonly bytes: Uint8Array; readonly pointer: number };
/** A file of a job: where its numbers begin, its name, and its content. */
type Spot = { readonly at: number; readonly name: number; readonly content: number; readonly length: number };

const PERMISSIONS = 0o777;
const MODE = 0o7777;

/** In struct statx, which is the same on all processors, in 32-bit parts. */
const MODE_PART = 7;
/** Where a part of it goes, and where it is there: links, owners, inode and size, then both times. */
const TO = Uint8Array.of(STAT.links, STAT.uid, STAT.gid, ...from(STAT.inode, 4), ...from(STAT.changed, 6));
const FROM = Uint8Array.of(...from(4, 3), ...from(8, 4), ...from(24, 3), ...from(28, 3));

/** Writes jobs by calls that make no value but numbers. What it cannot write it leaves, with the mode 0. */
export class QuickWriter {
  readonly #calls: QuickCalls;
  /** Two of struct timespec, in 32-bit parts; the answer of statx(2); an empty name. */
  readonly #times = new Uint32Array(new ArrayBuffer(32));
  readonly #answer = new Uint32Array(new ArrayBuffer(STATX_BYTES));
  readonly #empty = new Uint8Array(new ArrayBuffer(8));
  /** What pointers lead to stays as long as something else than a pointer leads to it. */
  #held: { job?: WriteJob; source?: Source } = {};
  readonly #at: { readonly times: number; readonly answer: number; readonly empty: number };

  constructor(calls: QuickCalls) {
    this.#calls = calls;
    const { pointerTo } = calls;
    this.#at = { times: pointerTo(this.#times), answer: pointerTo(this.#answer), empty: pointerTo(this.#empty) };
  }

  write(job: WriteJob, opened: OpenBundles): Stats {
    const stats = emptyStats(job);
    const { numbers } = job;
    const names = this.#calls.pointerTo(job.names);
    let source = this.#source(job, 0, opened);
    this.#held = { job, source };
    for (let at = 0, out = 0; at < numbers.length; at += FILE_NUMBERS, out += STAT_NUMBERS) {
      const number = numbers[at + FILE.source] ?? 0;
      if (number !== source.number) this.#held.source = source = this.#source(job, number, opened);
      const from = numbers[at + FILE.at] ?? 0;
      const bytes = numbers[at + FILE.bytes] ?? 0;
      const begin = number === 0 ? from : plainPieceAt(source.bytes, from, bytes);
      if (begin === undefined) continue;
      const spot = {
        at,
        name: names + (numbers[at] ?? 0),
        content: source.pointer + begin,
        length: from + bytes - begin,
      };
      if (this.#one(job, spot)) this.#tell(stats, out);
    }
    this.#held = {};
    return stats;
  }

  /** A bundle that is none has nothing in it. */
  #source({ content, bundles }: WriteJob, number: number, opened: OpenBundles): Source {
    const bundle = bundles[number - 1];
    let bytes: Uint8Array = content;
    try {
      if (bundle !== undefined) bytes = opened.unpacked(bundle);
    } catch {
      bytes = new Uint8Array(0);
    }
    return { number, bytes, pointer: bytes.length === 0 ? 0 : this.#calls.pointerTo(bytes) };
  }

  /** Whether the file is there, whole; what it is is in `#answer` then. */
  #one({ directory, numbers, names }: WriteJob, { at, name, content, length }: Spot): boolean {
    const mode = numbers[at + FILE.mode] ?? 0;
    const file = this.#calls.openat(directory, name, FRESH_FILE, mode & PERMISSIONS);
    if (file < 0) return false;
    const isWhole =
      (length === 0 || this.#calls.write(file, content, length) === length) && this.#settle(file, numbers, at);
    this.#calls.close(file);
    if (!isWhole) discard(directory, names, numbers[at] ?? 0);
    return isWhole;
  }

  #settle(file: number, numbers: Uint32Array, at: number): boolean {
    const times = this.#times;
    times[0] = times[4] = numbers[at + FILE.seconds] ?? 0;
    times[1] = times[5] = numbers[at + FILE.high] ?? 0;
    times[2] = times[6] = numbers[at + FILE.nanoseconds] ?? 0;
    if (this.#calls.futimens(file, this.#at.times) !== 0 || !this.#look(file)) return false;
    const mode = numbers[at + FILE.mode] ?? 0;
    if (((this.#answer[MODE_PART] ?? 0) & MODE) === mode) return true;
    return this.#calls.fchmod(file, mode) === 0 && this.#look(file);
  }

  #look(file: number): boolean {
    const { empty, answer } = this.#at;
    return this.#calls.statx(file, empty, AT_EMPTY_PATH, STATX_BASIC_STATS, answer) === 0;
  }

  #tell(stats: Stats, out: number): void {
    const answer = this.#answer;
    for (let part = 0; part < TO.length; part++) stats[out + (TO[part] ?? 0)] = answer[FROM[part] ?? 0] ?? 0;
    stats[out + STAT.mode] = (answer[MODE_PART] ?? 0) & 0xffff;
    stats[out + STAT.device] = deviceOf(answer[34] ?? 0, answer[35] ?? 0);
  }
}

/** Removes a file that is not whole, by its name; whoever was faster had it. */
function discard(directory: number, names: Uint8Array, from: number): void {
  const name = Buffer.from(names.subarray(from, names.indexOf(0, from))).toString("latin1");
  rmSync(systemPath(`/proc/self/fd/${directory}/${name}`), { force: true });
}

/** So many numbers, from the first on. */
function from(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}
