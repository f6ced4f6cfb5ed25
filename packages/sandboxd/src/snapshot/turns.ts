/** How long other work of sandboxd waits at most. */
const TURN_MS = 15;

/** Divides long work into turns, between which other work of sandboxd goes on. */
export class Turns {
  #ends = performance.now() + TURN_MS;

  get isOver(): boolean {
    return performance.now() > this.#ends;
  }

  /** Lets other work go on, and begins the next turn. */
  async rest(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#ends = performance.now() + TURN_MS;
  }
}
