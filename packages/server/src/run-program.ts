import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export type ProgramOptions = {
  readonly cwd?: string | undefined;
  /** The whole environment of the program. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin?: Buffer | undefined;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly capBytes: number;
  /** Gets what the program says on its second output, piece by piece. */
  readonly onStderr?: (text: string) => void;
};

/** How a program ended. `cut`: it said more than the cap and was ended for it. `exitCode` is null when killed. */
export type ProgramResult = {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly cut: boolean;
  readonly timedOut: boolean;
};

/**
 * Runs a program of this machine to its end, without a shell; its children die with it.
 * @throws the signal's reason when aborted; what `spawn` throws when there is no such program
 */
export async function runProgram(
  argv: readonly [string, ...string[]],
  options: ProgramOptions,
): Promise<ProgramResult> {
  options.signal.throwIfAborted();
  const [command, ...args] = argv;
  const child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env,
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  if (!Object.hasOwn(child, "stdio")) throw await unstarted(child);
  const kill = () => killGroup(child.pid);
  const stdout = collector(options.capBytes, kill);
  const stderr = collector(64 * 1024, () => undefined);
  child.stdout.on("data", stdout.add);
  child.stderr.on("data", (bytes: Buffer) => {
    stderr.add(bytes);
    options.onStderr?.(bytes.toString("utf8"));
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.stdin);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, options.timeoutMs);
  options.signal.addEventListener("abort", kill, { once: true });
  try {
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    child.once("error", reject);
    child.once("close", resolve);
    const exitCode = await promise;
    options.signal.throwIfAborted();
    return { exitCode, stdout: stdout.bytes(), stderr: stderr.bytes().toString("utf8"), cut: stdout.cut(), timedOut };
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", kill);
  }
}

/** Without files left Node gives half a child: it has no streams, and tells why in a moment. */
async function unstarted(child: ChildProcess): Promise<unknown> {
  const [cause] = await once(child, "error").catch((thrown: unknown) => [thrown]);
  return cause;
}

function collector(capBytes: number, onFull: () => void) {
  const chunks: Buffer[] = [];
  let size = 0;
  let cut = false;
  return {
    add: (bytes: Buffer) => {
      if (cut) return;
      chunks.push(bytes.subarray(0, capBytes - size));
      size += bytes.length;
      cut = size > capBytes;
      if (cut) onFull();
    },
    bytes: () => Buffer.concat(chunks),
    cut: () => cut,
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
