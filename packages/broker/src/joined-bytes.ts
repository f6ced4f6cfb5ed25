const SMALLEST = 256;

/** Bytes that come in pieces. However small those are, they are joined in a time in proportion to all bytes. */
export class JoinedBytes {
  #store = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#store.length) {
      const larger = Buffer.allocUnsafe(Math.max(SMALLEST, length, 2 * this.#length));
      larger.set(this.all());
      this.#store = larger;
    }
    this.#store.set(piece, this.#length);
    this.#length = length;
  }

  /** A view, good until more is added. */
  all(): Buffer {
    return this.#store.subarray(0, this.#length);
  }
}
