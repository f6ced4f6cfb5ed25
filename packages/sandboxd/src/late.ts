/** What is loaded when it is first asked for. */
export class Late<Value> {
  readonly #make: () => Promise<Value>;
  #loading: Promise<Value> | undefined;
  #loaded: Value | undefined;

  constructor(make: () => Promise<Value>) {
    this.#make = make;
  }

  /** Undefined until it is there. */
  get loaded(): Value | undefined {
    return this.#loaded;
  }

  load(): Promise<Value> {
    return (this.#loading ??= this.#make().then((value) => (this.#loaded = value)));
  }
}
