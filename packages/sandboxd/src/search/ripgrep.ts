import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { ownChild } from "../children.ts";
import { findExecutable } from "../find-executable.ts";

const TIMEOUT_MS = 30_000;
const MAX_STDERR_BYTES = 4096;

export type RipgrepRun = {
  /** Absolute, or relative to the workspace. */
  readonly cwd: string;
  readonly args: readonly string[];
  readonly signal: AbortSignal;
  /** Takes output as it comes; false: enough, ripgrep is stopped. */
  readonly take: (bytes: Buffer) => boolean;
};

/** Resolves to whether ripgrep came to its own end. */
export type Ripgrep = (run: RipgrepRun) => Promise<boolean>;

/**
 * Runs ripgrep without a shell: the one beside this program, or the image's own.
 * @throws AppError `search_failed` with what ripgrep said when it refuses the arguments, or after 30 s without output
 */
export function ripgrep(workspace: string, env: Readonly<Record<string, string>>): Ripgrep {
  const beside = join(dirname(process.execPath), "rg");
  return async (run) => {
    run.signal.throwIfAborted();
    const program = existsSync(beside) ? beside : findExecutable("rg", env);
    if (program === undefined) throw new AppError("search_failed", "ripgrep is not in this sandbox. Use grep or find.");
    const args = ["--no-config", "--no-messages", "--no-require-git", "--hidden", "--color", "never", ...run.args];
    const child = spawn(program, args, {
      cwd: resolve(workspace, run.cwd),
      env: { ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.once("exit", ownChild(child.pid));
    const done = await finished(child, run);
    run.signal.throwIfAborted();
    if (done.timedOut && !done.hadOutput) {
      throw new AppError("search_failed", "The search took over 30 seconds. Search a smaller part.");
    }
    if (done.exitCode === 2 && !done.hadOutput && done.stderr !== "") throw new AppError("search_failed", done.stderr);
    return !done.stopped;
  };
}

type Done = {
  readonly exitCode: number | null;
  readonly stderr: string;
  readonly hadOutput: boolean;
  readonly stopped: boolean;
  readonly timedOut: boolean;
};

async function finished(child: ChildProcess, { signal, take }: RipgrepRun): Promise<Done> {
  let [stderr, hadOutput, stopped, timedOut] = ["", false, false, false];
  const stop = (): void => {
    stopped = true;
    child.kill("SIGKILL");
  };
  const timer = setTimeout(() => {
    timedOut = true;
    stop();
  }, TIMEOUT_MS);
  signal.addEventListener("abort", stop);
  child.stdout?.on("data", (bytes: Buffer) => {
    hadOutput = true;
    if (!stopped && !take(bytes)) stop();
  });
  child.stderr?.on("data", (bytes: Buffer) => {
    stderr = (stderr + bytes.toString()).slice(0, MAX_STDERR_BYTES);
  });
  try {
    const exitCode = await ended(child);
    return { exitCode, stderr: stderr.trim(), hadOutput, stopped, timedOut };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

async function ended(child: ChildProcess): Promise<number | null> {
  try {
    return await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
  } catch (cause) {
    throw new AppError("search_failed", "ripgrep cannot be started in this sandbox.", {}, { cause });
  }
}
