import type { LineagePlace } from "./references.ts";

/** What else is remembered in a lineage, by name. */
export class Notes {
  readonly #place: LineagePlace;

  constructor(place: LineagePlace) {
    this.#place = place;
  }

  /** @throws AppError `checkpoint_damaged` */
  async all(): Promise<ReadonlyMap<string, unknown>> {
    const { store, seal } = this.#place;
    const prefix = this.#pathOf("");
    const notes = new Map<string, unknown>();
    for (const path of await store.list(prefix)) {
      const bytes = seal.open(path, await store.get(path));
      notes.set(path.slice(prefix.length), JSON.parse(bytes.toString("utf8")));
    }
    return notes;
  }

  async put(name: string, value: unknown): Promise<void> {
    const { store, seal } = this.#place;
    const path = this.#pathOf(name);
    await store.put(path, seal.seal(path, Buffer.from(JSON.stringify(value))));
  }

  remove(name: string): Promise<void> {
    return this.#place.store.remove(this.#pathOf(name));
  }

  #pathOf(name: string): string {
    return `${this.#place.lineageId}/notes/${name}`;
  }
}
