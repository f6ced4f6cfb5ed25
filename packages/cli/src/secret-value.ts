import { createInterface } from "node:readline";
import { addAbortSignal, Readable, Writable } from "node:stream";
import { LONGEST_SECRET } from "@handrail/protocol/secrets";
import type { Context } from "./context.ts";
import { UsageError } from "./exit-codes.ts";
import { Interrupted } from "./interrupts.ts";

/**
 * A value that stands in no command line: typed at a prompt that shows nothing where stdin is a terminal, else all of
 * stdin without its last line end. @throws UsageError when it is too long; Interrupted
 */
export function readSecretValue({ screen, input = process.stdin, interrupts }: Context, name: string): Promise<string> {
  if (!("isTTY" in input && input.isTTY === true)) return readAll(input, interrupts.signal);
  screen.err(`Value of ${name} (not shown): `);
  return readHidden(input).finally(() => screen.err("\n"));
}

async function readAll(input: NodeJS.ReadableStream, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of addAbortSignal(signal, Readable.from(input))) {
    const part = Buffer.from(chunk as Uint8Array | string);
    bytes += part.length;
    // The server counts characters; this only keeps a file given by mistake out of memory.
    if (bytes > LONGEST_SECRET * 4) throw new UsageError(`The value is longer than ${LONGEST_SECRET} characters.`);
    chunks.push(part);
  }
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
}

/** One line from a terminal in raw mode: nothing echoes, since what readline would write goes nowhere. */
function readHidden(input: NodeJS.ReadableStream): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  lines.once("line", resolve);
  lines.once("SIGINT", () => reject(new Interrupted()));
  lines.once("close", () => reject(new Interrupted()));
  return promise.finally(() => lines.close());
}
