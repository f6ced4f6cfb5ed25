import { spawn } from "node:child_process";
import { ROOT } from "./test-server.ts";

/** How a program ended. `code` is null when a signal ended it. */
export type Ending = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export type Spawned = {
  readonly pid: number;
  /** Settles once it has said this on its first output; rejects when it ends before. */
  readonly ready: Promise<void>;
  readonly ended: Promise<Ending>;
  kill(signal: NodeJS.Signals): void;
};

const MAX_MS = 150_000;

/** Runs a program of this repository on a state directory. It is killed when it takes longer than `MAX_MS`. */
export function spawnProgram(args: readonly string[], env: Readonly<Record<string, string>>, ready = ""): Spawned {
  const { PATH = "", HOME = "", TMPDIR = "/tmp" } = process.env;
  const child = spawn(process.execPath, args, { cwd: ROOT, env: { PATH, HOME, TMPDIR, ...env }, timeout: MAX_MS });
  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<Ending>();
  started.promise.catch(() => undefined);
  let stdout = "";
  let stderr = "";
  child.stderr.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
  child.stdout.on("data", (bytes: Buffer) => {
    stdout += bytes.toString();
    if (stdout.includes(ready)) started.resolve();
  });
  child.once("close", (code) => {
    started.reject(new Error(`It ended with ${code}:\n${stderr}`));
    ended.resolve({ code, stdout, stderr });
  });
  return {
    pid: child.pid ?? 0,
    ready: started.promise,
    ended: ended.promise,
    kill: (signal) => void child.kill(signal),
  };
}

/** The server's own program, as a user starts it. */
export const spawnServer = (home: string, env: Readonly<Record<string, string>> = {}): Spawned =>
  spawnProgram(["packages/server/src/main.ts"], { PORT: "0", ...env, HANDRAIL_HOME: home }, "Handrail is ready");
