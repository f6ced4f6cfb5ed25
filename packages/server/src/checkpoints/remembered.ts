/** Values by name, up to a sum of weights. Those that were set last stay. */
export class Remembered<Value> {
  readonly #values = new Map<string, Value>();
  readonly #most: number;
  readonly #weightOf: (value: Value) => number;
  #weight = 0;
  /** Names by age. It goes on where it stopped: from the beginning it would pass over all that was forgotten, each time. */
  #oldest: MapIterator<string> | undefined;

  constructor(most: number, weightOf: (value: Value) => number) {
    this.#most = most;
    this.#weightOf = weightOf;
  }

  get(name: string): Value | undefined {
    return this.#values.get(name);
  }

  set(name: string, value: Value): void {
    this.#delete(name);
    this.#values.set(name, value);
    this.#weight += this.#weightOf(value);
    while (this.#weight > this.#most) this.#forgetOldest();
  }

  clear(): void {
    this.#values.clear();
    this.#oldest = undefined;
    this.#weight = 0;
  }

  #forgetOldest(): void {
    this.#oldest ??= this.#values.keys();
    const { done, value } = this.#oldest.next();
    if (done) this.#oldest = undefined;
    else this.#delete(value);
  }

  #delete(name: string): void {
    const value = this.#values.get(name);
    if (value !== undefined) this.#weight -= this.#weightOf(value);
    this.#values.delete(name);
  }
}
