/** Values by name, up to a sum of weights. Those that were set last stay. */
export class Remembered<Value> {
  readonly #values = new Map<string, Value>();
  readonly #most: number;
  readonly #weightOf: (value: Value) => number;
  #weight = 0;

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
    for (const oldest of this.#values.keys()) {
      if (this.#weight <= this.#most) return;
      this.#delete(oldest);
    }
  }

  clear(): void {
    this.#values.clear();
    this.#weight = 0;
  }

  #delete(name: string): void {
    const value = this.#values.get(name);
    if (value !== undefined) this.#weight -= this.#weightOf(value);
    this.#values.delete(name);
  }
}
