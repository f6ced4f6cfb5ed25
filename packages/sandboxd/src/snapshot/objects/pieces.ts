/** A file's content, of which nothing is read before it is asked for. */
export class Pieces implements Iterable<Uint8Array> {
  readonly #names: readonly string[];
  readonly #blob: (name: string) => Uint8Array;

  constructor(names: readonly string[], blob: (name: string) => Uint8Array) {
    this.#names = names;
    this.#blob = blob;
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    for (const name of this.#names) yield this.#blob(name);
  }
}
