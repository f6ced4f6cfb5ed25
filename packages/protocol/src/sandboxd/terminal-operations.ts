import * as z from "zod/mini";
import { Bytes, listOf, operation, TimeoutMs } from "./operation.ts";

const TerminalName = z.string().check(z.regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "must be 1 to 32 of a-z, 0-9 and -"));

/**
 * What a terminal has to say: the text since the last report, as a reader would see it (no control codes, carriage
 * returns applied), head and tail when over the cap. `running`: the command goes on. `exitCode` is null while running
 * and when the shell itself ended. `offset` is where this report's raw bytes end in the terminal's output.
 */
export const TerminalReport = z.object({
  terminal: z.string(),
  output: z.string(),
  outputBytes: Bytes,
  /** Set when the output was over the cap: the path of the file in the sandbox that holds all of it, up to a cap. */
  outputFile: z.optional(z.string()),
  exitCode: z.nullable(z.int()),
  running: z.boolean(),
  cwd: z.string(),
  offset: Bytes,
});
export type TerminalReport = z.infer<typeof TerminalReport>;

/** Named persistent shells. */
export const TERMINAL_OPERATIONS = {
  /** Runs a command in a named persistent shell, made at first use. `terminal_busy` when one is running there. */
  "terminal.run": operation(
    () =>
      z.strictObject({
        terminal: TerminalName,
        command: z.string().check(z.maxLength(1_000_000)),
        timeoutMs: TimeoutMs,
        capBytes: Bytes,
      }),
    () => TerminalReport,
  ),
  /** Waits for the running command to end or to say something new, up to the timeout. */
  "terminal.wait": operation(
    () => z.strictObject({ terminal: TerminalName, timeoutMs: TimeoutMs, capBytes: Bytes }),
    () => TerminalReport,
  ),
  /** Types text, or a key such as `ctrl-c`, `enter`, `up`, then waits as `terminal.wait` does. */
  "terminal.send": operation(
    () =>
      z.strictObject({
        terminal: TerminalName,
        text: z.optional(z.string().check(z.maxLength(100_000))),
        key: z.optional(z.string().check(z.maxLength(32))),
        timeoutMs: TimeoutMs,
        capBytes: Bytes,
      }),
    () => TerminalReport,
  ),
  /** Kills what runs in the terminal, children too, and starts its shell anew in the same directory. */
  "terminal.kill": operation(
    () => z.strictObject({ terminal: TerminalName, capBytes: Bytes }),
    () => TerminalReport,
  ),
  "terminal.list": operation(
    () => z.strictObject({}),
    () =>
      z.object({
        terminals: listOf(
          z.object({ terminal: z.string(), running: z.boolean(), command: z.optional(z.string()), cwd: z.string() }),
        ),
      }),
  ),
  /**
   * Raw output of a terminal as `output` messages, from `outputFrom` (older bytes than are kept are skipped), until
   * cancelled. Makes the terminal when there is none. For people who watch; it changes nothing for commands.
   */
  "terminal.watch": operation(
    () =>
      z.strictObject({
        terminal: TerminalName,
        columns: z.optional(z.int()),
        rows: z.optional(z.int()),
      }),
    () => z.object({}),
  ),
  /** Bytes that a person typed, base64. */
  "terminal.type": operation(
    () => z.strictObject({ terminal: TerminalName, data: z.string().check(z.maxLength(1_000_000)) }),
    () => z.object({}),
  ),
  "terminal.resize": operation(
    () =>
      z.strictObject({
        terminal: TerminalName,
        columns: z.int().check(z.minimum(2), z.maximum(1000)),
        rows: z.int().check(z.minimum(1), z.maximum(1000)),
      }),
    () => z.object({}),
  ),
} as const;
