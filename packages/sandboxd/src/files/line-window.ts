const MAX_LINE = 2000;
/** Enough bytes for `MAX_LINE` UTF-16 units (three bytes a unit at most) and a line end. */
const KEPT_BYTES = MAX_LINE * 3 + 8;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

type Range = { readonly fromLine: number; readonly maxLines: number; readonly capBytes: number };
type LinesRead = {
  readonly text: string;
  readonly lines: number;
  readonly totalLines: number;
  /** Lines that were cut in `text`. */
  readonly cutLines: number;
};

/** Takes a text's bytes as they come, keeps the lines that were asked for, and counts all. */
export class LineWindow {
  readonly #range: Range;
  readonly #parts: string[] = [];
  #bytes = 0;
  #cutLines = 0;
  #full = false;
  #lines = 0;
  /** The line that goes on: what is kept of it, and how long it is. */
  #kept: Buffer[] = [];
  #length = 0;
  #last = 0;

  constructor(range: Range) {
    this.#range = range;
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      const feed = chunk.indexOf(LINE_FEED, at);
      const piece = chunk.subarray(at, feed < 0 ? chunk.length : feed);
      this.#keep(piece);
      if (feed >= 0) this.#endLine(this.#last === CARRIAGE_RETURN ? "\r\n" : "\n");
      at += piece.length + 1;
    }
  }

  /** What was asked for; nothing may be pushed afterwards. */
  end(): LinesRead {
    if (this.#length > 0) this.#endLine("");
    const lines = this.#parts.length;
    return { text: this.#parts.join(""), lines, totalLines: this.#lines, cutLines: this.#cutLines };
  }

  get #wanted(): boolean {
    return !this.#full && this.#lines + 1 >= this.#range.fromLine;
  }

  #keep(piece: Buffer): void {
    const room = KEPT_BYTES - this.#length;
    if (this.#wanted && room > 0) this.#kept.push(Buffer.from(piece.subarray(0, room)));
    this.#length += piece.length;
    this.#last = piece.at(-1) ?? this.#last;
  }

  #endLine(end: string): void {
    if (this.#wanted) this.#add(end);
    this.#lines++;
    this.#kept = [];
    this.#length = 0;
    this.#last = 0;
  }

  #add(end: string): void {
    const text = Buffer.concat(this.#kept).toString();
    const body = end === "\r\n" && this.#length <= KEPT_BYTES ? text.slice(0, -1) : text;
    const shown = shortened(body);
    const line = this.#fitting(shown + end);
    this.#full = line === undefined || this.#parts.length + 1 >= this.#range.maxLines;
    if (line === undefined) return;
    this.#parts.push(line);
    this.#bytes += Buffer.byteLength(line);
    if (line.length < body.length + end.length) this.#cutLines++;
  }

  /** A first line over the cap is cut to it, so that a reader gets on; a later one waits for the next call. */
  #fitting(line: string): string | undefined {
    const room = this.#range.capBytes - this.#bytes;
    if (Buffer.byteLength(line) <= room) return line;
    if (this.#parts.length > 0) return undefined;
    return Buffer.from(line)
      .subarray(0, room)
      .toString()
      .replace(/\uFFFD$/, "");
  }
}

/** The beginning of a long line, without half a character at its end. */
function shortened(text: string): string {
  return text.length <= MAX_LINE ? text : text.slice(0, MAX_LINE).replace(/[\uD800-\uDBFF]$/, "");
}
