import { createRequire } from "node:module";
import type { Logger } from "pino";

/** Where a program says what it does. */
export type Log = Pick<Logger, (typeof SAID)[number]>;

const SAID = ["debug", "info", "warn", "fatal"] as const;
const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

/** JSON lines on the second output. What writes them is large, and is loaded with the first: an idle program writes none. */
export function jsonLog(level: string): Log {
  let made: Logger | undefined;
  const least = LEVELS.indexOf(level);
  const saying = (name: (typeof SAID)[number]) => {
    if (LEVELS.indexOf(name) < least) return () => {};
    return (...given: Parameters<Logger["info"]>) => {
      made ??= pinoLog(level);
      made[name](...given);
    };
  };
  return Object.fromEntries(SAID.map((name) => [name, saying(name)])) as Log;
}

function pinoLog(level: string): Logger {
  const { pino } = createRequire(import.meta.url)("pino") as typeof import("pino");
  const write = (line: string) => {
    process.stderr.write(line);
  };
  return pino({ level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, { write });
}
