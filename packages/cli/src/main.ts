import { readEnvironment } from "./config.ts";
import { EXIT } from "./exit-codes.ts";
import { takeInterrupts } from "./interrupts.ts";
import { colored, uncolored } from "./paint.ts";
import { runCli } from "./run-cli.ts";
import type { Screen } from "./screen.ts";

const { home, noColor, gateway } = readEnvironment();
const live = process.stdout.isTTY;

const screen: Screen = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  live,
  paint: live && !noColor ? colored : uncolored,
  columns: () => (live && process.stdout.columns > 0 ? process.stdout.columns : 80),
};

// A reader that went away (`handrail list | head`) wants no more: as an interrupt would end it.
process.stdout.on("error", () => process.exit(EXIT.interrupted));

const interrupts = takeInterrupts(() => process.exit(EXIT.interrupted));
const code = await runCli(process.argv.slice(2), { screen, cwd: process.cwd(), home, interrupts, gateway });
interrupts.release();
process.exit(code);
