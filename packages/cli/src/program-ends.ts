import { spawn } from "node:child_process";
import { EXIT } from "./exit-codes.ts";

/** Runs another program on this Node. Gives its exit code. An interrupt reaches it as SIGTERM, and it then ends in order. */
export function programEnds(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const child = spawn(process.execPath, args, { stdio: "inherit", detached: true });
  signal.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
  child.on("error", reject);
  child.on("exit", (code) => resolve(code ?? EXIT.failed));
  return promise;
}
