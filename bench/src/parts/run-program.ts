import { spawn } from "node:child_process";

export type Ran = { readonly code: number | null; readonly ms: number; readonly output: string };

type Options = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs?: number;
};

/** Runs a program to its end. `output` is the tail of both of its streams. */
export function runProgram(command: string, args: readonly string[], options: Options = {}): Promise<Ran> {
  const started = performance.now();
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 60_000);
  let output = "";
  const take = (bytes: Buffer) => (output = (output + bytes.toString()).slice(-20_000));
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, ms: performance.now() - started, output });
    });
  });
}
