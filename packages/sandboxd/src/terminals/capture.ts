import { ByteRing } from "./byte-ring.ts";
import type { OutputLog } from "./output-log.ts";
import { readableText } from "./readable-text.ts";

/** What was captured since the last time: text within the cap, the size of all of it, the file that holds it. */
export type Captured = { readonly output: string; readonly outputBytes: number; readonly outputFile?: string };

/** Keeps the head and the tail of an output, in memory that does not grow, and all of it in a file once over the cap. */
export class Capture {
  readonly #openLog: () => OutputLog | undefined;
  readonly #half: number;
  #head = Buffer.alloc(0);
  #tail: ByteRing;
  #total = 0;
  #log: OutputLog | undefined;
  #overflowed = false;

  constructor(capBytes: number, openLog: () => OutputLog | undefined) {
    this.#half = Math.max(1, Math.floor(capBytes / 2));
    this.#tail = new ByteRing(this.#half);
    this.#openLog = openLog;
  }

  get total(): number {
    return this.#total;
  }

  push(bytes: Uint8Array): void {
    if (this.#total + bytes.length > this.#half * 2) this.#overflow();
    this.#log?.append(bytes);
    const toHead = bytes.subarray(0, Math.max(0, this.#half - this.#head.length));
    if (toHead.length > 0) this.#head = Buffer.concat([this.#head, toHead]);
    if (toHead.length < bytes.length) this.#tail.append(bytes.subarray(toHead.length));
    this.#total += bytes.length;
  }

  /** Gives what came since the last `take`, and starts anew; the file goes on. */
  take(): Captured {
    const tail = this.#tail.read(0, this.#half).bytes;
    const cut = this.#total - this.#head.length - tail.length;
    const captured = {
      output:
        cut === 0
          ? readableText(Buffer.concat([this.#head, tail]))
          : `${readableText(this.#head)}\n[… ${cut} bytes left out …]\n${readableText(fromCharacter(tail))}`,
      outputBytes: this.#total,
      ...(cut > 0 && this.#log !== undefined ? { outputFile: this.#log.path } : {}),
    };
    this.#head = Buffer.alloc(0);
    this.#tail = new ByteRing(this.#half);
    this.#total = 0;
    return captured;
  }

  close(): void {
    this.#log?.close();
  }

  #overflow(): void {
    if (this.#overflowed) return;
    this.#overflowed = true;
    this.#log = this.#openLog();
    this.#log?.append(this.#head);
    this.#log?.append(this.#tail.read(0, this.#half).bytes);
  }
}

/** Without the end of a UTF-8 character whose beginning was cut off (RFC 3629 §3). */
function fromCharacter(bytes: Buffer): Buffer {
  let at = 0;
  while (at < 3 && at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++;
  return bytes.subarray(at);
}
