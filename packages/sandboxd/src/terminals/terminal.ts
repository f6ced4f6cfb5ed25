import { existsSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { pathText } from "@handrail/protocol/paths";
import type { TerminalReport } from "@handrail/protocol/sandboxd/terminal-operations";
import { ByteRing } from "./byte-ring.ts";
import { Capture } from "./capture.ts";
import { Command } from "./command.ts";
import { deferred, within } from "./deferred.ts";
import type { Feed } from "./feed.ts";
import type { Marker } from "./markers.ts";
import { outputLog } from "./output-log.ts";
import { killAll, processDirectory, sessionProcesses, signalProcess } from "./processes.ts";
import { startShell, type Shell } from "./shell.ts";

export type TerminalOptions = {
  readonly name: string;
  readonly program: string;
  readonly workspace: string;
  readonly stateDirectory: string;
  readonly env: Readonly<Record<string, string>>;
};

export type Wait = { readonly timeoutMs: number; readonly capBytes: number; readonly signal: AbortSignal };

const RING_BYTES = 1024 * 1024;
const IDLE_CAP_BYTES = 64 * 1024;
const READY_MS = 10_000;
const START_MS = 2000;
const INTERRUPT_MS = 300;
const KILL_MS = 300;
/** After something new, how long a wait goes on for what may come with it. */
const GATHER_MS = 200;
const MAX_SHOWN_COMMAND = 4096;
/** Readline and the terminal driver both clear a half-typed line at this: end of line, then kill to its beginning. */
const CLEAR_LINE = "\u0005\u0015";

/**
 * `starting`: the shell has not prompted yet. `ready`: it has. `typed`: a command's line is on its way. `running`: its
 * command runs. `prompting`: the command is over and the prompt not yet written whole. `dead`: there is no shell.
 */
type Phase = "dead" | "starting" | "ready" | "typed" | "running" | "prompting";

/** A named shell that outlives its programs, and that people and the agent share. */
export class Terminal {
  readonly ring = new ByteRing(RING_BYTES);
  readonly #options: TerminalOptions;
  readonly #listeners = new Set<() => void>();
  #phase: Phase = "dead";
  #shell: Shell | undefined;
  #command: Command | undefined;
  #capture = new Capture(IDLE_CAP_BYTES, () => undefined);
  #ready = deferred();
  #more = deferred();
  #exitCode: number | null = 0;
  #cwd: Buffer;
  #size = { columns: 120, rows: 30 };

  constructor(options: TerminalOptions) {
    this.#options = options;
    this.#cwd = Buffer.from(options.workspace);
  }

  get description() {
    const command = this.#command?.text;
    return {
      terminal: this.#options.name,
      running: this.#isRunning(),
      ...(command === undefined ? {} : { command }),
      cwd: pathText(this.#cwd),
    };
  }

  /** Runs a command until it ends or the time is over; aborted, stops the command. `onFeed` gets its output. */
  async run(id: string, text: string, wait: Wait, onFeed: (feed: Feed) => void): Promise<TerminalReport> {
    if (this.#command !== undefined) throw this.#busy();
    const command = new Command(id, text);
    this.#command = command;
    await this.#begin(command, wait).catch((thrown: unknown) => {
      this.#finish(command);
      throw thrown;
    });
    onFeed(this.#feed(command));
    await within(command.ended.promise, wait.timeoutMs, wait.signal);
    if (wait.signal.aborted) await this.#stop(command);
    return this.#report();
  }

  /** Waits until the command ends, something new is said, or the time is over. */
  async wait(wait: Wait): Promise<TerminalReport> {
    const deadline = performance.now() + wait.timeoutMs;
    const ended = this.#command?.ended.promise;
    if (this.#capture.total === 0 && this.#isRunning()) {
      const news = ended === undefined ? this.#more.promise : Promise.race([ended, this.#more.promise]);
      await within(news, wait.timeoutMs, wait.signal);
    }
    const left = Math.max(0, Math.min(GATHER_MS, deadline - performance.now()));
    if (this.#isRunning()) await within(ended ?? new Promise(() => {}), left, wait.signal);
    return this.#report();
  }

  async send(text: string, wait: Wait): Promise<TerminalReport> {
    this.type(Buffer.from(text));
    if (!this.#isRunning()) await within(this.#more.promise, Math.min(GATHER_MS, wait.timeoutMs), wait.signal);
    return this.wait(wait);
  }

  /** Kills the shell and all that came from it, and starts another one where it was. */
  async kill(): Promise<TerminalReport> {
    await this.#killShell();
    const report = { ...this.#report(), exitCode: 137 };
    this.open();
    return report;
  }

  /** Starts the shell if there is none. */
  open(): void {
    if (this.#phase !== "dead") return;
    const cwd = existsSync(this.#cwd) ? this.#cwd.toString() : this.#options.workspace;
    this.#phase = "starting";
    this.#ready = deferred();
    const { program, env, stateDirectory } = this.#options;
    const shell = startShell({
      program,
      env,
      stateDirectory,
      cwd,
      ...this.#size,
      onPiece: (piece) => {
        if ("marker" in piece) this.#onMarker(piece.marker);
        else this.#onBytes(piece.bytes);
      },
    });
    this.#shell = shell;
    shell.ended.then(() => this.#onShellEnded(shell)).catch(() => {});
  }

  type(bytes: Uint8Array): void {
    this.open();
    this.#shell?.write(bytes);
  }

  resize(columns: number, rows: number): void {
    this.#size = { columns, rows };
    this.#shell?.resize(columns, rows);
  }

  /** Everything, from the oldest byte that is kept. */
  feed(): Feed {
    return { ring: this.ring, base: 0, end: () => undefined, onMore: (listener) => this.#listen(listener) };
  }

  /** Ends the shell and what it runs, for good. */
  close(): void {
    const shell = this.#shell;
    if (shell === undefined) return;
    killAll(() => sessionProcesses(shell.pid));
    signalProcess(shell.pid, "SIGKILL");
  }

  async #begin(command: Command, wait: Wait): Promise<void> {
    this.open();
    await within(this.#ready.promise, READY_MS, wait.signal);
    const shell = this.#shell;
    if (shell === undefined) throw new AppError("terminal_failed", "The shell ended as soon as it was started.");
    if (!shell.inForeground()) throw this.#busy();
    this.#phase = "typed";
    const line = command.write(this.#options.stateDirectory, shell.startLine(command.id), this.#exitCode ?? 0);
    this.#capture.close();
    this.#capture = new Capture(wait.capBytes, () =>
      outputLog(join(this.#options.stateDirectory, "output"), command.id),
    );
    shell.write(Buffer.from(CLEAR_LINE + line));
    const started = Promise.race([command.started.promise, command.ended.promise]);
    if (!(await within(started, START_MS, wait.signal)) && !wait.signal.aborted) throw this.#busy();
  }

  #onMarker(marker: Marker): void {
    if (marker.kind === "start") this.#onStart(marker.id);
    else if (marker.kind === "prompt") this.#onPrompt(marker.exitCode, marker.cwd);
    else this.#onReady();
  }

  #onStart(id: string): void {
    const command = this.#command;
    if (this.#phase !== "typed" || command?.id !== id) return;
    this.#phase = "running";
    const shown = command.text.slice(0, MAX_SHOWN_COMMAND).replaceAll("\n", "\r\n");
    this.#publish(Buffer.from(`${shown}\r\n`));
    command.startOffset = this.ring.end;
    command.started.resolve();
  }

  #onPrompt(exitCode: number, cwd: Buffer): void {
    this.#cwd = cwd;
    if (this.#phase === "typed") return;
    this.#exitCode = exitCode;
    if (this.#phase === "starting") return;
    const ended = this.#phase === "running" ? this.#command : undefined;
    this.#phase = "prompting";
    this.#ready = deferred();
    if (ended !== undefined) this.#finish(ended);
  }

  #onReady(): void {
    if (this.#phase !== "prompting" && this.#phase !== "starting") return;
    this.#phase = "ready";
    this.#ready.resolve();
  }

  #onBytes(bytes: Uint8Array): void {
    if (this.#phase === "typed") return;
    if (this.#phase === "running" || this.#phase === "ready") this.#capture.push(bytes);
    this.#publish(bytes);
    this.#more.resolve();
    this.#more = deferred();
  }

  #publish(bytes: Uint8Array): void {
    this.ring.append(bytes);
    for (const listener of this.#listeners) listener();
  }

  #onShellEnded(shell: Shell): void {
    if (this.#shell !== shell) return;
    this.#shell = undefined;
    this.#phase = "dead";
    this.#exitCode = null;
    this.#ready.resolve();
    if (this.#command !== undefined) this.#finish(this.#command);
    this.#publish(Buffer.from("\r\n"));
  }

  #finish(command: Command): void {
    if (this.#command !== command) return;
    this.#command = undefined;
    if (this.#phase === "typed") this.#phase = "ready";
    command.remove();
    command.endOffset = this.ring.end;
    command.ended.resolve();
    for (const listener of this.#listeners) listener();
  }

  /** Interrupts the command, then kills what it started, then the shell, until the shell is back or gone. */
  async #stop(command: Command): Promise<void> {
    const shell = this.#shell;
    if (shell === undefined || this.#command !== command) return;
    shell.interrupt();
    if (await within(command.ended.promise, INTERRUPT_MS)) return;
    killAll(() => sessionProcesses(shell.pid, command.startTicks));
    if (await within(command.ended.promise, KILL_MS)) return;
    await this.#killShell();
    this.#exitCode = 137;
  }

  async #killShell(): Promise<void> {
    const shell = this.#shell;
    if (shell === undefined) return;
    // Prompts tell the directory only between commands; a command may have changed it since.
    this.#cwd = processDirectory(shell.pid) ?? this.#cwd;
    killAll(() => sessionProcesses(shell.pid));
    signalProcess(shell.pid, "SIGKILL");
    await within(shell.ended, 2000);
    this.#onShellEnded(shell);
  }

  #report(): TerminalReport {
    const running = this.#isRunning();
    return {
      terminal: this.#options.name,
      ...this.#capture.take(),
      exitCode: running ? null : this.#exitCode,
      running,
      cwd: pathText(this.#cwd),
      offset: this.ring.end,
    };
  }

  #isRunning(): boolean {
    if (this.#command !== undefined) return true;
    return this.#phase === "ready" && this.#shell?.inForeground() === false;
  }

  #feed(command: Command): Feed {
    const end = () => command.endOffset;
    return { ring: this.ring, base: command.startOffset, end, onMore: (listener) => this.#listen(listener) };
  }

  #listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #busy(): AppError {
    const message = "Another program runs in this terminal. Wait for it, stop it, or use another terminal.";
    return new AppError("terminal_busy", message, { terminal: this.#options.name });
  }
}
