import type { FileEdit } from "@handrail/protocol/changes";
import { isBinary } from "./file-content.ts";
import { diffLines, type DiffLine } from "./line-diff.ts";

const CONTEXT = 3;
const MAX_HUNK_CHARACTERS = 64_000;

/** What an edit did to a file; `before` is undefined for one that was made. Binary files have no hunks. */
export function fileEdit(path: string, before: Buffer | undefined, after: Buffer): FileEdit {
  const created = before === undefined;
  if (isBinary(before ?? Buffer.alloc(0)) || isBinary(after)) return { path, created, added: 0, removed: 0, hunks: "" };
  const lines = diffLines(splitLines(before ?? Buffer.alloc(0)), splitLines(after));
  const count = (sign: DiffLine["sign"]) => lines.filter((line) => line.sign === sign).length;
  return { path, created, added: count("+"), removed: count("-"), hunks: capped(unifiedHunks(lines)) };
}

/** Lines with their ends. */
function splitLines(bytes: Buffer): string[] {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return text === "" ? [] : text.split(/(?<=\n)/);
}

/** Unified format (POSIX diff -U, "Diff -u Output Format") without the file headers. */
function unifiedHunks(lines: readonly DiffLine[]): string {
  let text = "";
  let [oldLine, newLine] = [1, 1];
  let from = 0;
  for (const [start, end] of hunkRanges(lines)) {
    for (const { sign } of lines.slice(from, start)) [oldLine, newLine] = stepped(sign, oldLine, newLine);
    const hunk = lines.slice(start, end);
    const oldCount = hunk.filter(({ sign }) => sign !== "+").length;
    const newCount = hunk.filter(({ sign }) => sign !== "-").length;
    text += `@@ -${range(oldLine, oldCount)} +${range(newLine, newCount)} @@\n`;
    text += hunk.map(({ sign, line }) => sign + ended(line)).join("");
    if (text.length > MAX_HUNK_CHARACTERS) return text;
    from = start;
  }
  return text;
}

function hunkRanges(lines: readonly DiffLine[]): readonly (readonly [number, number])[] {
  const ranges: [number, number][] = [];
  for (const [index, { sign }] of lines.entries()) {
    if (sign === " ") continue;
    const start = Math.max(0, index - CONTEXT);
    const end = Math.min(lines.length, index + CONTEXT + 1);
    const last = ranges.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = end;
    else ranges.push([start, end]);
  }
  return ranges;
}

function stepped(sign: DiffLine["sign"], oldLine: number, newLine: number): [number, number] {
  return [oldLine + (sign === "+" ? 0 : 1), newLine + (sign === "-" ? 0 : 1)];
}

/** An empty range names the line before it. */
const range = (line: number, count: number) => (count === 1 ? `${line}` : `${count === 0 ? line - 1 : line},${count}`);

const ended = (line: string) => (line.endsWith("\n") ? line : `${line}\n\\ No newline at end of file\n`);

function capped(hunks: string): string {
  if (hunks.length <= MAX_HUNK_CHARACTERS) return hunks;
  const end = hunks.lastIndexOf("\n", MAX_HUNK_CHARACTERS);
  return `${hunks.slice(0, end < 0 ? MAX_HUNK_CHARACTERS : end)}\n\\ The rest of this diff is left out.\n`;
}
