const MAX_PATHS = 500;

/** What restores changed in the workspace since git was last told, by path, one character for each byte. */
export class ChangedPaths {
  #paths: Set<string> | undefined = new Set();

  add(path: string): void {
    this.#paths?.add(path);
    if (this.#paths !== undefined && this.#paths.size > MAX_PATHS) this.#paths = undefined;
  }

  /** They are forgotten with it. Undefined when they are too many to be named. */
  take(): readonly string[] | undefined {
    const paths = this.#paths;
    this.#paths = new Set();
    return paths && [...paths];
  }
}
