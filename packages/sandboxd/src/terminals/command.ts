import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deferred } from "./deferred.ts";
import { ticksNow } from "./processes.ts";

/** A command that was asked for in a terminal, from the asking until the shell is back. */
export class Command {
  readonly id: string;
  readonly text: string;
  readonly startTicks = ticksNow();
  readonly started = deferred();
  readonly ended = deferred();
  /** Offsets in the terminal's output; the end is undefined until the shell is back. */
  startOffset = 0;
  endOffset: number | undefined;
  #file: string | undefined;

  constructor(id: string, text: string) {
    this.id = id;
    this.text = text;
  }

  /** Writes the file that the shell reads, and gives the line to type. `exitCode`: what `$?` is at its start. */
  write(stateDirectory: string, startLine: string, exitCode: number): string {
    this.#file = join(stateDirectory, "commands", `${this.id}.sh`);
    const status = exitCode === 0 ? "" : `(exit ${exitCode})\n`;
    writeFileSync(this.#file, `${startLine}${status}${this.text}\n`, { mode: 0o600 });
    return ` . '${this.#file.replaceAll("'", `'\\''`)}'\r`;
  }

  /** Removes the file: a shell that reads the line only now finds nothing to run. */
  remove(): void {
    if (this.#file !== undefined) rmSync(this.#file, { force: true });
  }
}
