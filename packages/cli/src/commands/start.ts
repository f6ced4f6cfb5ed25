import { spawn } from "node:child_process";
import path from "node:path";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";

const START = path.join(import.meta.dirname, "../../../../scripts/start.mjs");

/** `handrail start`: the server, as `npm start` starts it. Its own options and help pass through. */
export function addStartCommand(program: Command, context: Context): void {
  program
    .command("start")
    .description("start the server; --help lists its options and exit codes")
    .argument("[options...]")
    .allowUnknownOption()
    .helpOption(false)
    .action(async (options: readonly string[]) => context.exit(await started(options, context.interrupts.signal)));
}

/** The server's exit code. An interrupt reaches it as SIGTERM, and it then ends in order. */
function started(options: readonly string[], signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const child = spawn(process.execPath, [START, ...options], { stdio: "inherit", detached: true });
  signal.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
  child.on("error", reject);
  child.on("exit", (code) => resolve(code ?? EXIT.failed));
  return promise;
}
