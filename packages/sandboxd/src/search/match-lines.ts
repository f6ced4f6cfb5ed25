import type { OperationResult } from "@handrail/protocol/sandboxd/operations";

type Limits = {
  /** Matching lines. */
  readonly limit: number;
  readonly capBytes: number;
  /** A path of ripgrep's as the caller may use it. */
  readonly shown: (path: Buffer) => string;
};

const LINE_FEED = 10;

/** Collects ripgrep's lines (`--null`: a zero byte ends the path) as `path:line:text`, up to the limits. */
export class MatchLines {
  readonly #limits: Limits;
  readonly #lines: string[] = [];
  readonly #files = new Set<string>();
  #rest = Buffer.alloc(0);
  #bytes = 0;
  #matches = 0;
  #more = false;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @returns false when no more lines fit */
  push(bytes: Buffer): boolean {
    const all = Buffer.concat([this.#rest, bytes]);
    let at = 0;
    for (let end = all.indexOf(LINE_FEED); end >= 0 && !this.#more; end = all.indexOf(LINE_FEED, at)) {
      this.#take(all.subarray(at, end));
      at = end + 1;
    }
    this.#rest = all.subarray(at);
    return !this.#more;
  }

  /** `whole`: ripgrep had said all. */
  end(whole: boolean): OperationResult<"search.content"> {
    const text = this.#lines.join("\n");
    return { text, matches: this.#matches, files: this.#files.size, more: this.#more || !whole };
  }

  #take(line: Buffer): void {
    const zero = line.indexOf(0);
    const rest = line
      .subarray(zero + 1)
      .toString()
      .replace(/\r$/, "");
    if (zero < 0) return this.#add(rest);
    const path = this.#limits.shown(line.subarray(0, zero));
    if (!/^\d+:/.test(rest)) return this.#add(`${path}-${rest}`);
    this.#more ||= this.#matches >= this.#limits.limit;
    this.#add(`${path}:${rest}`);
    if (this.#more) return undefined;
    this.#matches++;
    this.#files.add(path);
  }

  #add(text: string): void {
    const size = Buffer.byteLength(text) + 1;
    this.#more ||= this.#bytes + size > this.#limits.capBytes;
    if (this.#more) return;
    this.#lines.push(text);
    this.#bytes += size;
  }
}
