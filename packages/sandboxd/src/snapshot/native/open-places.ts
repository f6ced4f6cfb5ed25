import { type OpenPlace, openPlace } from "./open-place.ts";

/** A quarter of the files that a process may have open in the profile strict. */
const MAX_OPEN = 256;

/**
 * Directories that are worked in, however deep they are: no more than so many are open at once, besides those that are held. One
 * that waits is closed when there are too many, and opened anew when it is needed.
 */
export class OpenPlaces {
  readonly #maxOpen: number;
  /** Those that are open and not held; what has waited longest comes first. */
  readonly #waiting = new Set<Place>();
  #open = 0;

  constructor(maxOpen = MAX_OPEN) {
    this.#maxOpen = maxOpen;
  }

  /** Whether one more may be held for long. */
  get hasRoom(): boolean {
    return this.#open - this.#waiting.size < this.#maxOpen;
  }

  /**
   * A directory to work in, held. The caller closes it.
   * @throws when there is no such directory, or it is now reached through a link
   */
  open(path: string): Place {
    return new Place({
      open: () => this.#make(path),
      wait: (place) => void this.#waiting.add(place),
      take: (place) => void this.#waiting.delete(place),
      shut: () => (this.#open -= 1),
    });
  }

  #make(path: string): OpenPlace {
    for (const place of this.#waiting) {
      if (this.#open < this.#maxOpen) break;
      place.shut();
    }
    const opened = openPlace(path);
    this.#open += 1;
    return opened;
  }
}

/** What a place tells those that it is one of. */
type Owner = {
  open(): OpenPlace;
  wait(place: Place): void;
  take(place: Place): void;
  shut(): void;
};

/** A directory that is worked in while it is held. What names it by its descriptor is true until it is let go. */
export class Place {
  readonly #owner: Owner;
  readonly #first: OpenPlace;
  #opened: OpenPlace | undefined;
  #holds = 1;

  constructor(owner: Owner) {
    this.#owner = owner;
    this.#first = owner.open();
    this.#opened = this.#first;
  }

  /** @throws when it had to be opened anew, and another directory has its path by now */
  get file(): number {
    return this.#now().file;
  }

  /** Its path by the descriptor. @throws as `file` */
  get at(): string {
    return this.#now().at;
  }

  hold(): void {
    this.#holds += 1;
    this.#owner.take(this);
  }

  letGo(): void {
    this.#holds -= 1;
    if (this.#holds === 0 && this.#opened !== undefined) this.#owner.wait(this);
  }

  /** Lets it go for as long as something else is worked on. */
  async during<Value>(work: () => Promise<Value>): Promise<Value> {
    this.letGo();
    try {
      return await work();
    } finally {
      this.hold();
    }
  }

  /** Until it is needed again, or for good. */
  shut(): void {
    this.#owner.take(this);
    this.#opened?.close();
    if (this.#opened !== undefined) this.#owner.shut();
    this.#opened = undefined;
  }

  #now(): OpenPlace {
    if (this.#opened !== undefined) return this.#opened;
    const { device, inode } = this.#first;
    this.#opened = this.#owner.open();
    if (this.#opened.device === device && this.#opened.inode === inode) return this.#opened;
    this.shut();
    throw new Error("The path leads elsewhere now.");
  }
}
