import { closeSync, ftruncateSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import type { Settlement } from "../ports/ledger.ts";
import { lostCall, settledCall, type OpenCall, type SettledCall } from "./settled-call.ts";

/** What is written of a call as it begins and ends, a line each. */
type Line = { readonly opened: OpenCall } | { readonly settled: Settlement };

/** A file of calls that the database does not have yet. What was appended outlives the process in whatever way it ends. */
export type CallFile = {
  /** All of it or nothing, in one write. */
  append(lines: readonly string[]): void;
  /** Begins again with these calls. */
  restart(open: Iterable<OpenCall>): void;
  bytes(): number;
  close(): void;
};

export const openedLine = (opened: OpenCall): string => `${JSON.stringify({ opened } satisfies Line)}\n`;
export const settledLine = (settled: Settlement): string => `${JSON.stringify({ settled } satisfies Line)}\n`;

/** An empty file in place of what was there: see `readCallFile`. */
export function openCallFile(path: string): CallFile {
  let file = openSync(path, "w", 0o600);
  let length = 0;

  const write = (text: string): void => {
    const bytes = Buffer.from(text);
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done, length + done);
      length += bytes.length;
    } catch (thrown) {
      ftruncateSync(file, length);
      throw thrown;
    }
  };
  return {
    append: (lines) => write(lines.join("")),
    restart(open) {
      const next = openSync(`${path}.new`, "w", 0o600);
      const [before, lengthBefore] = [file, length];
      [file, length] = [next, 0];
      try {
        write([...open].map(openedLine).join(""));
        renameSync(`${path}.new`, path);
        closeSync(before);
      } catch (thrown) {
        [file, length] = [before, lengthBefore];
        closeSync(next);
        throw thrown;
      }
    },
    bytes: () => length,
    close: () => closeSync(file),
  };
}

/** The calls that an earlier process left in its file: settled as it said, or else lost. */
export function readCallFile(path: string, at: number): SettledCall[] {
  const open = new Map<string, OpenCall>();
  const calls: SettledCall[] = [];
  for (const line of readLines(path)) {
    if ("opened" in line) {
      open.set(line.opened.callId, line.opened);
      continue;
    }
    const call = open.get(line.settled.callId);
    if (call === undefined) continue;
    open.delete(call.callId);
    calls.push(settledCall(call, line.settled));
  }
  return [...calls, ...[...open.values()].map((call) => lostCall(call, at))];
}

function readLines(path: string): Line[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return [];
    throw thrown;
  }
  return text.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as Line];
    } catch {
      // Only the last line can be half written, and it is of a call that was not let through.
      return [];
    }
  });
}
