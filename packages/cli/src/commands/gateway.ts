import path from "node:path";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { programEnds } from "../program-ends.ts";

const MAIN = path.join(import.meta.dirname, "../../../gateway/bin/gateway.mjs");
/** As `bin/handrail.mjs` has it: the space for young objects would grow to 64 MB twice over, and stay. */
const YOUNG = "--max-semi-space-size=16";

/** `handrail gateway`: the model gateway alone, with a port of its own. Its options and help pass through. */
export function addGatewayCommand(program: Command, context: Context): void {
  program
    .command("gateway")
    .description("start the model gateway alone; --help lists its options and exit codes")
    .argument("[options...]")
    .allowUnknownOption()
    .helpOption(false)
    .action(async (options: readonly string[]) =>
      context.exit(await programEnds([YOUNG, MAIN, ...options], context.interrupts.signal)),
    );
}
