import path from "node:path";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { programEnds } from "../program-ends.ts";

const START = path.join(import.meta.dirname, "../../../../scripts/start.mjs");

/** `handrail start`: the server, as `npm start` starts it. Its own options and help pass through. */
export function addStartCommand(program: Command, context: Context): void {
  program
    .command("start")
    .description("start the server; --help lists its options and exit codes")
    .argument("[options...]")
    .allowUnknownOption()
    .helpOption(false)
    .action(async (options: readonly string[]) =>
      context.exit(await programEnds([START, ...options], context.interrupts.signal)),
    );
}
