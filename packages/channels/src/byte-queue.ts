const SMALLEST = 256;

/** Bytes that wait. However small the pieces in which they come, they take little more memory than they are. */
export class ByteQueue {
  #store = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#store.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(SMALLEST, length, 2 * this.#length));
      larger.set(this.#store.subarray(0, this.#length));
      this.#store = larger;
    }
    this.#store.set(bytes, this.#length);
    this.#length = length;
  }

  /** All of it, which waits no more. */
  take(): Buffer {
    const taken = this.#store.subarray(0, this.#length);
    this.#store = Buffer.alloc(0);
    this.#length = 0;
    return taken;
  }
}
