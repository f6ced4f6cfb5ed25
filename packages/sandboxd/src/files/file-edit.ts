import type { FileEdit } from "@handrail/protocol/changes";
import { isBinary } from "./file-content.ts";
import { diffLines, type DiffLine } from "./line-diff.ts";
import { CONTEXT_LINES, unifiedHunks } from "./unified-hunks.ts";

/** Where more than this differs, lines are counted but not compared. 4 MiB. */
const MAX_COMPARED_BYTES = 4 * 1024 * 1024;
const MAX_HUNK_BYTES = 64 * 1024;
const CUT = "\\ [diff cut]\n";
const LINE_FEED = 10;

/** What an edit did to a file; `before` is undefined for one that was made. Binary files have no hunks. */
export function fileEdit(path: string, before: Buffer | undefined, after: Buffer): FileEdit {
  const old = before ?? Buffer.alloc(0);
  const created = before === undefined;
  if (isBinary(old) || isBinary(after)) return { path, created, added: 0, removed: 0, hunks: "" };
  const { start, oldEnd, newEnd } = changedPart(old, after);
  const [removed, added] = [old.subarray(start, oldEnd), after.subarray(start, newEnd)];
  if (removed.length + added.length > MAX_COMPARED_BYTES) {
    return { path, created, added: lineCount(added), removed: lineCount(removed), hunks: CUT };
  }
  const [from, to] = [linesBack(old, start, CONTEXT_LINES), linesOn(old, oldEnd, CONTEXT_LINES)];
  const lines = [
    ...unchanged(old.subarray(from, start)),
    ...diffLines(splitLines(removed), splitLines(added)),
    ...unchanged(old.subarray(oldEnd, to)),
  ];
  const count = (sign: DiffLine["sign"]) => lines.filter((line) => line.sign === sign).length;
  const hunks = capped(unifiedHunks(lines, lineCount(old.subarray(0, from)) + 1));
  return { path, created, added: count("+"), removed: count("-"), hunks };
}

/** The whole lines between the first and the last difference. */
function changedPart(old: Buffer, after: Buffer): { start: number; oldEnd: number; newEnd: number } {
  const shorter = Math.min(old.length, after.length);
  let same = 0;
  while (same < shorter && old[same] === after[same]) same++;
  if (same === old.length && same === after.length) return { start: same, oldEnd: same, newEnd: same };
  const start = same === 0 ? 0 : old.lastIndexOf(LINE_FEED, same - 1) + 1;
  let tail = 0;
  while (tail < shorter - start && old[old.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  const feed = tail === 0 ? -1 : old.indexOf(LINE_FEED, old.length - tail);
  const kept = feed < 0 ? 0 : old.length - feed - 1;
  return { start, oldEnd: old.length - kept, newEnd: after.length - kept };
}

/** Where the line begins that is so many lines before the one that begins at `offset`. */
function linesBack(bytes: Buffer, offset: number, lines: number): number {
  let start = offset;
  for (let left = lines; left > 0 && start > 0; left--) {
    start = start < 2 ? 0 : bytes.lastIndexOf(LINE_FEED, start - 2) + 1;
  }
  return start;
}

function linesOn(bytes: Buffer, offset: number, lines: number): number {
  let end = offset;
  for (let left = lines; left > 0 && end < bytes.length; left--) {
    const feed = bytes.indexOf(LINE_FEED, end);
    end = feed < 0 ? bytes.length : feed + 1;
  }
  return end;
}

function lineCount(bytes: Buffer): number {
  let lines = bytes.length > 0 && bytes.at(-1) !== LINE_FEED ? 1 : 0;
  for (let feed = bytes.indexOf(LINE_FEED); feed >= 0; feed = bytes.indexOf(LINE_FEED, feed + 1)) lines++;
  return lines;
}

/** Lines with their ends, as latin1: bytes that are no UTF-8 stay distinct until they are shown. */
function splitLines(bytes: Buffer): string[] {
  return bytes.length === 0 ? [] : bytes.toString("latin1").split(/(?<=\n)/);
}

const unchanged = (bytes: Buffer) => splitLines(bytes).map((line): DiffLine => ({ sign: " ", line }));

function capped(latin1: string): string {
  const text = Buffer.from(latin1, "latin1").toString();
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_HUNK_BYTES) return text;
  const end = bytes.lastIndexOf(LINE_FEED, MAX_HUNK_BYTES - CUT.length - 1);
  return bytes.subarray(0, end + 1).toString() + CUT;
}
