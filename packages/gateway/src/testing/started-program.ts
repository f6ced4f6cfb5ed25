import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** The gateway's own program, to be started with Node. */
export const PROGRAM = [join(import.meta.dirname, "../../bin/gateway.mjs")];

export type StartedProgram = {
  readonly url: string;
  readonly pid: number | undefined;
  /** Sends the signal and waits for the end. */
  readonly ends: (
    signal: NodeJS.Signals,
  ) => Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
};

/** Starts a gateway with this environment alone, and waits for its address. @throws Error when it ends before */
export async function startProgram(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<StartedProgram> {
  const child = spawn(process.execPath, [...command], {
    env: { PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  let out = "";
  let err = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    const url = /is ready: (\S+)\n/.exec(out)?.[1];
    if (url) resolve(url);
  });
  child.on("close", () => {
    running.delete(child);
    reject(new Error(`The program ended: ${err}`));
  });
  const url = await promise;
  const ends = async (signal: NodeJS.Signals) => {
    const closed = once(child, "close");
    child.kill(signal);
    const [code] = (await closed) as [number | null];
    return { code, out, err };
  };
  return { url, ends, pid: child.pid };
}

const running = new Set<ChildProcess>();

/** Ends what a failed test left. */
export function killPrograms(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** One chat completion. */
export const askProgram = (url: string, body: object, key: string): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
