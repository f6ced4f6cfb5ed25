import { spawn, type ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { AppError } from "@handrail/protocol/errors";
import { ownChild } from "./children.ts";
import { signalProcess } from "./terminals/processes.ts";

export type ProgramOptions = {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  readonly timeoutMs: number;
  /** Cap on each of the two outputs; what is over it is dropped. */
  readonly capBytes: number;
  readonly signal: AbortSignal;
  /** A file that takes the standard output instead. */
  readonly stdoutFile?: number;
};

/** `exitCode` is null when a signal ended the program. `cut`: an output was over the cap, or the time was over. */
export type Finished = {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly cut: boolean;
};

/**
 * Runs a program in a process group of its own, without a shell, and kills the group at the end of the time.
 * @throws AppError `path_missing` when there is no such program
 */
export async function runProgram(argv: readonly string[], options: ProgramOptions): Promise<Finished> {
  const [program = "", ...args] = argv;
  const child = startGroup(program, args, options);
  const stdout = collector(child.stdout, options.capBytes);
  const stderr = collector(child.stderr, options.capBytes);
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    endGroup(child);
  };
  const timer = setTimeout(stop, options.timeoutMs);
  if (options.signal.aborted) stop();
  options.signal.addEventListener("abort", stop);
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve(code));
    });
    return { exitCode, stdout: stdout.take(), stderr: stderr.take(), cut: stopped || stdout.cut() || stderr.cut() };
  } catch (cause) {
    throw new AppError("path_missing", "The program cannot be started.", { program: program.slice(0, 200) }, { cause });
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", stop);
  }
}

function startGroup(program: string, args: readonly string[], options: ProgramOptions): ChildProcess {
  const { cwd, env, stdin = "", stdoutFile = "pipe" } = options;
  const child = spawn(program, args, { cwd, env: { ...env }, detached: true, stdio: ["pipe", stdoutFile, "pipe"] });
  child.once("exit", ownChild(child.pid));
  child.stdin?.on("error", () => {});
  child.stdin?.end(stdin);
  return child;
}

/** Its pipes too: a grandchild that left the group may hold them. */
function endGroup(child: ChildProcess): void {
  if (child.pid !== undefined) signalProcess(-child.pid, "SIGKILL");
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function collector(stream: Readable | null, capBytes: number) {
  const parts: Buffer[] = [];
  let held = 0;
  let cut = false;
  stream?.on("data", (bytes: Buffer) => {
    const kept = bytes.subarray(0, capBytes - held);
    if (kept.length > 0) parts.push(kept);
    held += kept.length;
    cut ||= kept.length < bytes.length;
  });
  return {
    take: () => Buffer.concat(parts),
    cut: () => cut,
  };
}
