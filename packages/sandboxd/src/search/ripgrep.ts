import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { findExecutable } from "../find-executable.ts";
import { runProgram, type Finished } from "../run-program.ts";

const TIMEOUT_MS = 60_000;

export type Ripgrep = (args: readonly string[], capBytes: number, signal: AbortSignal) => Promise<Finished>;

/**
 * Runs ripgrep in a directory: the one beside this program, or the image's own.
 * @throws AppError `search_failed` with what ripgrep said, when it refuses the arguments
 */
export function ripgrep(cwd: string, env: Readonly<Record<string, string>>): Ripgrep {
  const beside = join(dirname(process.execPath), "rg");
  return async (args, capBytes, signal) => {
    const program = existsSync(beside) ? beside : findExecutable("rg", env);
    if (program === undefined) throw new AppError("search_failed", "ripgrep is not in this sandbox.");
    const done = await runProgram([program, "--no-config", ...args], {
      cwd,
      env,
      timeoutMs: TIMEOUT_MS,
      capBytes,
      signal,
    });
    if (done.exitCode !== 2 || done.stdout.length > 0 || done.cut) return done;
    throw new AppError("search_failed", done.stderr.toString().trim().slice(0, 2000));
  };
}

/** Arguments that both searches share: hidden files are looked at, git's own are not. */
export const EVERYWHERE = ["--hidden", "--glob", "!.git", "--color", "never"] as const;
