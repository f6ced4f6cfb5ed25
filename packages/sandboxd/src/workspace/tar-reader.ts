import { AppError } from "@handrail/protocol/errors";

/** `hardlink` to an earlier entry of the archive; `other` is a device, or what this reader does not know. */
type TarType = "file" | "directory" | "link" | "hardlink" | "pipe" | "other";

/** Paths have one character for each byte, relative to the archive's root, which is "". `mtime` in seconds. */
export type TarEntry = {
  readonly path: string;
  readonly type: TarType;
  readonly mode: number;
  readonly mtime: number;
  /** Of a link. */
  readonly target: string;
};

/** Takes what is in an archive, in order. `content` and `end` belong to the file that was begun last. */
export type TarSink = {
  begin(entry: TarEntry): void;
  content(bytes: Uint8Array): void;
  end(): void;
};

const BLOCK_BYTES = 512;
/** Longer than the kernel takes. */
const MAX_NAME_BYTES = 64 * 1024;
const TYPES: Readonly<Record<string, TarType>> = {
  "0": "file",
  "\0": "file",
  "1": "hardlink",
  "2": "link",
  "5": "directory",
  "6": "pipe",
};

/** What is being read: names that go before their entry, or a content. */
type Reading = { left: number; padding: number; readonly take: (bytes: Uint8Array) => void; readonly end: () => void };

/**
 * Reads an archive as GNU tar writes it, in pieces of any size.
 * Source: https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */
export class TarReader {
  readonly #sink: TarSink;
  readonly #header = Buffer.alloc(BLOCK_BYTES);
  #headerBytes = 0;
  #reading: Reading | undefined;
  /** Of the next entry, when they do not fit its header. */
  #longPath: string | undefined;
  #longTarget: string | undefined;
  #ended = false;
  /** Bytes that were taken. */
  size = 0;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /** @throws AppError `bad_request` for what is no archive, and what the sink throws */
  take(bytes: Uint8Array): void {
    this.size += bytes.length;
    for (let at = 0; at < bytes.length && !this.#ended;) {
      const rest = bytes.subarray(at);
      at += this.#reading === undefined ? this.#takeHeader(rest) : this.#takeContent(this.#reading, rest);
    }
  }

  /** To be called when all was taken. @throws AppError `bad_request` when the archive's end is missing */
  end(): void {
    if (!this.#ended) throw broken("It ends too early.");
  }

  #takeHeader(bytes: Uint8Array): number {
    const part = bytes.subarray(0, BLOCK_BYTES - this.#headerBytes);
    this.#header.set(part, this.#headerBytes);
    this.#headerBytes += part.length;
    if (this.#headerBytes < BLOCK_BYTES) return part.length;
    this.#headerBytes = 0;
    if (this.#header.every((byte) => byte === 0)) this.#ended = true;
    else this.#begin();
    return part.length;
  }

  #takeContent(reading: Reading, bytes: Uint8Array): number {
    const part = bytes.subarray(0, reading.left);
    if (part.length > 0) reading.take(part);
    reading.left -= part.length;
    const skipped = Math.min(bytes.length - part.length, reading.padding);
    if (reading.left === 0) reading.padding -= skipped;
    if (reading.left === 0 && reading.padding === 0) {
      this.#reading = undefined;
      reading.end();
    }
    return part.length + skipped;
  }

  #begin(): void {
    const header = this.#header;
    if (header.toString("latin1", 257, 262) !== "ustar") throw broken("A header is not where it should be.");
    const size = sizeIn(header);
    const letter = String.fromCharCode(header[156] ?? 0);
    if (letter === "L")
      return this.#read(
        size,
        this.#name(size, (name) => (this.#longPath = name)),
      );
    if (letter === "K")
      return this.#read(
        size,
        this.#name(size, (name) => (this.#longTarget = name)),
      );
    const entry: TarEntry = {
      path: inside(this.#longPath ?? textAt(header, 0, 100)),
      type: TYPES[letter] ?? "other",
      mode: numberAt(header, 100, 8) & 0o7777,
      mtime: timeIn(header),
      target: this.#longTarget ?? textAt(header, 157, 100),
    };
    this.#longPath = this.#longTarget = undefined;
    const sink = this.#sink;
    sink.begin(entry.type === "hardlink" ? { ...entry, target: inside(entry.target) } : entry);
    const nothing = () => {};
    if (entry.type !== "file") this.#read(size, { take: nothing, end: nothing });
    else this.#read(size, { take: (bytes) => sink.content(bytes), end: () => sink.end() });
  }

  #name(size: number, set: (name: string) => void): Pick<Reading, "take" | "end"> {
    if (size > MAX_NAME_BYTES) throw broken("A name is too long.");
    const parts: Uint8Array[] = [];
    return {
      take: (bytes) => void parts.push(Uint8Array.from(bytes)),
      end: () => set(Buffer.concat(parts).toString("latin1").replace(/\0.*$/s, "")),
    };
  }

  #read(size: number, { take, end }: Pick<Reading, "take" | "end">): void {
    if (size === 0) return end();
    this.#reading = { left: size, padding: (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES, take, end };
  }
}

function textAt(header: Buffer, from: number, length: number): string {
  return header.toString("latin1", from, from + length).replace(/\0.*$/s, "");
}

/** Octal digits; what does not fit is in base 256, with the top bit set. */
function numberAt(header: Buffer, from: number, length: number): number {
  const field = header.subarray(from, from + length);
  const first = field[0] ?? 0;
  if ((first & 0x80) === 0) return Number.parseInt(`0${textAt(header, from, length).trim()}`, 8);
  const start = first === 0xff ? -1 : first & 0x7f;
  return field.subarray(1).reduce((value, byte) => value * 256 + byte, start);
}

/** @throws AppError `bad_request` */
function sizeIn(header: Buffer): number {
  const size = numberAt(header, 124, 12);
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw broken("A size is none.");
}

/** @throws AppError `bad_request` */
function timeIn(header: Buffer): number {
  const time = numberAt(header, 136, 12);
  if (Number.isSafeInteger(time)) return time;
  throw broken("A time is none.");
}

/** A path below the archive's root. @throws AppError for one that leads out of it */
function inside(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (path.startsWith("/") || parts.includes("..")) throw broken("A path leads out of it.");
  return parts.join("/");
}

function broken(how: string): AppError {
  return new AppError("bad_request", `The files did not come as an archive. ${how}`);
}
