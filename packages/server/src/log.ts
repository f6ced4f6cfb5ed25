import { pino, type Logger } from "pino";
import type { Mask } from "./settings/mask.ts";

/** JSON lines on the second output, with secrets masked. */
export function serverLog(level: string, mask: Mask): Logger {
  const write = (line: string) => {
    process.stderr.write(mask.text(line));
  };
  return pino({ level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, { write });
}
