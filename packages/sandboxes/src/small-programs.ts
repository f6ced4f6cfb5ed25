import type { Socket } from "node:net";
import { type ProgramResult, runProgram } from "./run-program.ts";
import { spawnWhole } from "./spawn-whole.ts";

/** Each runs one program at a time. */
const MAX_SHELLS = 8;
const WITHIN_MS = 30_000;
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };

/** Says of each line of its input how it ended, and what it said: `code`, a line break, the text, a zero byte. */
const LOOP = `while IFS= read -r line; do out=$(eval "$line" 2>&1 </dev/null); printf '%s\\n%s\\0' "$?" "$out"; done`;

type Shell = { busy: boolean; run(line: string): Promise<ProgramResult> };

/**
 * Runs programs as `runProgram` does, but lets shells that wait for it start them: this process is large, and stands still
 * while it is copied for a program, which takes some milliseconds. All that a program says is in `stderr`. When many are
 * run at a time, some are started from here.
 */
export function smallPrograms(): (program: string, args: readonly string[]) => Promise<ProgramResult> {
  const shells = new Set<Shell>();
  const begin = (): Shell => {
    const shell = startShell(() => shells.delete(shell));
    shells.add(shell);
    return shell;
  };
  return async (program, args) => {
    const words = [program, ...args];
    const free = [...shells].find(({ busy }) => !busy) ?? (shells.size < MAX_SHELLS ? attempt(begin) : undefined);
    if (free === undefined || words.some((word) => /[\n\0]/.test(word))) return runProgram(program, args);
    return free.run(`exec ${words.map(quoted).join(" ")}\n`);
  };
}

/** Undefined where no more files can be opened, which the way without a shell tells of. */
function attempt(begin: () => Shell): Shell | undefined {
  try {
    return begin();
  } catch {
    return undefined;
  }
}

/** With shells that all of this process share. */
export const runSmallProgram = smallPrograms();

/** It ends with this process, whose exit it does not hold up. `onEnd`: it runs nothing any more. */
function startShell(onEnd: () => void): Shell {
  const child = spawnWhole("sh", ["-c", LOOP], { env: ENVIRONMENT, cwd: "/", stdio: ["pipe", "pipe", "ignore"] });
  let said = "";
  let tell: ((result: ProgramResult) => void) | undefined;
  const end = () => {
    onEnd();
    child.kill("SIGKILL");
    tell?.({ code: null, stdout: "", stderr: "The shell that was to run it has ended." });
  };
  child.on("error", end).on("exit", end);
  child.stdin.on("error", end);
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    if (said.endsWith("\0")) tell?.(resultOf(said.slice(0, -1)));
  });
  child.unref();
  for (const stream of [child.stdin, child.stdout]) (stream as Socket).unref();
  const shell: Shell = {
    busy: false,
    run: async (line) => {
      shell.busy = true;
      said = "";
      const { promise, resolve } = Promise.withResolvers<ProgramResult>();
      tell = resolve;
      const timer = setTimeout(end, WITHIN_MS);
      child.stdin.write(line);
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        tell = undefined;
        shell.busy = false;
      }
    },
  };
  return shell;
}

function resultOf(said: string): ProgramResult {
  const at = said.indexOf("\n");
  return { code: Number(said.slice(0, at)), stdout: "", stderr: said.slice(at + 1) };
}

/** A word for the shell, whatever is in it. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
