/** The last bytes of a stream, addressed by their offset in the whole stream. Grows to its capacity as it fills. */
export class ByteRing {
  readonly capacity: number;
  #buffer = Buffer.alloc(0);
  #end = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Bytes seen so far; the offset of the next byte. */
  get end(): number {
    return this.#end;
  }

  /** Offset of the oldest byte that is still held. */
  get start(): number {
    return Math.max(0, this.#end - this.capacity);
  }

  append(bytes: Uint8Array): void {
    const kept = bytes.subarray(Math.max(0, bytes.length - this.capacity));
    this.#end += bytes.length - kept.length;
    this.#grow(this.#end + kept.length);
    const at = this.#buffer.length === 0 ? 0 : this.#end % this.#buffer.length;
    const first = Math.min(kept.length, this.#buffer.length - at);
    this.#buffer.set(kept.subarray(0, first), at);
    this.#buffer.set(kept.subarray(first), 0);
    this.#end += kept.length;
  }

  /** A copy of at most `length` bytes from `offset` on; older bytes than are held are skipped. */
  read(offset: number, length: number): { readonly offset: number; readonly bytes: Buffer } {
    const from = Math.min(Math.max(offset, this.start), this.#end);
    const bytes = Buffer.alloc(Math.min(length, this.#end - from));
    for (let done = 0; done < bytes.length;) {
      const at = (from + done) % this.#buffer.length;
      const size = Math.min(bytes.length - done, this.#buffer.length - at);
      this.#buffer.copy(bytes, done, at, at + size);
      done += size;
    }
    return { offset: from, bytes };
  }

  /** Until the buffer has its full size nothing has wrapped, so offsets are positions. */
  #grow(needed: number): void {
    if (this.#buffer.length >= this.capacity || needed <= this.#buffer.length) return;
    let size = Math.max(4096, this.#buffer.length);
    while (size < needed && size < this.capacity) size *= 2;
    const grown = Buffer.alloc(Math.min(size, this.capacity));
    if (this.#end <= this.#buffer.length) this.#buffer.copy(grown);
    this.#buffer = grown;
  }
}
