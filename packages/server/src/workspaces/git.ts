import { AppError } from "@handrail/protocol/errors";
import { type ProgramOptions, type ProgramResult, runProgram } from "../run-program.ts";

/** Runs the host's git. */
export type Git = (args: readonly string[], options: GitOptions) => Promise<ProgramResult>;

export type GitOptions = {
  /** A directory that no sandbox can write to. */
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly stdin?: Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly onStderr?: ProgramOptions["onStderr"];
  /** What the user is told before git's own words; undefined: any exit code is an answer. */
  readonly failure?: string;
};

const TIMEOUT_MS = 30 * 60_000;
const CAP_BYTES = 64 * 1024 ** 2;

/** Never asked for: hooks, other programs, or helpers that a repository's own configuration could name. */
const QUIET = ["core.hooksPath=/dev/null", "core.fsmonitor=false", "protocol.ext.allow=never", "gc.auto=0"];

/**
 * git with the user's own configuration and credentials (`env` is the server's), without prompts and hooks, and only
 * over protocols that are safe with addresses from elsewhere.
 * @throws AppError `git_failed`, `git_missing`
 */
export function hostGit(env: Readonly<Record<string, string | undefined>>): Git {
  const base = {
    ...withoutGit(env),
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "true",
    SSH_ASKPASS: "true",
    GIT_SSH_COMMAND: env["GIT_SSH_COMMAND"] ?? "ssh -oBatchMode=yes",
    GIT_ALLOW_PROTOCOL: "https:http:ssh:git:file",
    GIT_OPTIONAL_LOCKS: "0",
    LC_ALL: "C.UTF-8",
  };
  return async (args, options) => {
    const { cwd, signal, stdin, onStderr, failure } = options;
    const argv = ["git", ...QUIET.flatMap((setting) => ["-c", setting]), ...args] as const;
    const result = await runProgram(argv as unknown as readonly [string, ...string[]], {
      cwd,
      signal,
      stdin,
      env: { ...base, ...options.env },
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
      capBytes: CAP_BYTES,
      ...(onStderr === undefined ? {} : { onStderr }),
    }).catch((thrown: unknown) => {
      signal.throwIfAborted();
      throw new AppError("git_missing", "git does not run on the server's machine. Install it.", {}, { cause: thrown });
    });
    if (failure !== undefined) requireSuccess(result, failure);
    return result;
  };
}

function requireSuccess({ exitCode, stderr, timedOut, cut }: ProgramResult, failure: string): void {
  if (timedOut) throw new AppError("git_failed", `${failure} git took too long.`);
  if (cut) throw new AppError("git_failed", `${failure} git said more than Handrail takes.`);
  if (exitCode !== 0) throw new AppError("git_failed", `${failure} git says: ${lastWords(stderr)}`);
}

/** The lines that tell why, without credentials that an address may carry. */
export function lastWords(stderr: string): string {
  const lines = stderr
    .split(/[\r\n]+/)
    .filter((line) => /^(fatal|error|remote|ssh|hint)\b|denied|rejected/i.test(line));
  const chosen = (lines.length > 0 ? lines : stderr.trim().split(/[\r\n]+/)).slice(-4).join(" ");
  return chosen
    .replaceAll(/\/\/[^/@\s]*@/g, "//")
    .replaceAll(/\p{Cc}/gu, " ")
    .slice(0, 600);
}

/** A server that was started from a git hook must not pass on which repository that hook was about. */
function withoutGit(env: Readonly<Record<string, string | undefined>>) {
  const kept =
    /^GIT_(SSH|SSH_COMMAND|CONFIG_GLOBAL|CONFIG_SYSTEM|CONFIG_NOSYSTEM|AUTHOR_.*|COMMITTER_.*|SSL_.*|PROXY_.*)$/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("GIT_") || kept.test(name)));
}
