import { AppError } from "@handrail/protocol/errors";
import type { OperationArgs, OperationResult } from "@handrail/protocol/sandboxd/operations";
import { hashOf, MAX_FILE_BYTES, readContent } from "./file-content.ts";
import { fileEdit } from "./file-edit.ts";
import { nearMatch } from "./near-match.ts";
import { resolveWritable, type Resolved, type Root } from "./resolve-path.ts";
import { putContent } from "./put-content.ts";

type Args = OperationArgs<"file.edit">;
type Replacement = { readonly old: Buffer; readonly new: Buffer };
/** Where each match begins in the file, and what takes its place. */
type Matches = { readonly offsets: readonly number[]; readonly replacement: Replacement };

const MAX_MATCHES = 1_000_000;
const MAX_LINES_SHOWN = 20;

/** The operation `file.edit`. */
export function editFile(root: Root, args: Args): OperationResult<"file.edit"> {
  const path = resolveWritable(root, args.path, "sandbox");
  const { bytes, stat } = readContent(path);
  if (args.expectedHash !== undefined && args.expectedHash !== hashOf(bytes)) {
    const message = "The file is not what was last read. Read it again first.";
    throw new AppError("file_changed", message, { path: path.shown });
  }
  const matches = findMatches(bytes, args);
  refuseUnclear(matches, { bytes, args, path });
  const after = replaceAll(bytes, matches, path);
  putContent(path, after, stat);
  const edit = fileEdit(path.shown, bytes, after);
  return { path: path.shown, hash: hashOf(after), edit, replaced: matches.offsets.length };
}

function refuseUnclear(
  { offsets }: Matches,
  { bytes, args, path }: { bytes: Buffer; args: Args; path: Resolved },
): void {
  if (offsets.length === 0) {
    throw new AppError("edit_no_match", nearMatch(bytes, args.oldText), { path: path.shown });
  }
  if (offsets.length === 1 || args.all) return;
  const lines = lineNumbers(bytes, offsets.slice(0, MAX_LINES_SHOWN)).join(", ");
  const shown = offsets.length > MAX_LINES_SHOWN ? `${lines} and more` : lines;
  const message = `The old text is in the file ${offsets.length} times, at lines ${shown}. Give more of its surroundings, or replace all.`;
  throw new AppError("edit_not_unique", message, { path: path.shown, matches: offsets.length });
}

function findMatches(bytes: Buffer, args: Args): Matches {
  const forms = replacements(bytes, args);
  const found = forms.map((replacement) => ({ offsets: offsetsOf(bytes, replacement.old), replacement }));
  const matched = found.find(({ offsets }) => offsets.length > 0);
  return matched ?? { offsets: [], replacement: { old: Buffer.alloc(0), new: Buffer.alloc(0) } };
}

/** Where lines end with CRLF, text with plain line feeds stands for it; where only some do, exact text goes first. */
function replacements(bytes: Buffer, { oldText, newText }: Args): Replacement[] {
  const exact = { old: Buffer.from(oldText), new: Buffer.from(newText) };
  if (!bytes.includes("\r\n")) return [exact];
  const converted = { old: Buffer.from(withCrLf(oldText)), new: Buffer.from(withCrLf(newText)) };
  return /(?<!\r)\n/.test(bytes.toString("latin1")) ? [exact, converted] : [converted];
}

const withCrLf = (text: string) => text.replaceAll(/\r?\n/g, "\r\n");

function offsetsOf(bytes: Buffer, text: Buffer): number[] {
  const offsets: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) {
    offsets.push(at);
    if (offsets.length > MAX_MATCHES) {
      throw new AppError("file_too_large", "The old text is there over a million times. Use a command for this.");
    }
  }
  return offsets;
}

function replaceAll(bytes: Buffer, { offsets, replacement }: Matches, path: Resolved): Buffer {
  const size = bytes.length + offsets.length * (replacement.new.length - replacement.old.length);
  if (size > MAX_FILE_BYTES) {
    throw new AppError("file_too_large", "The file would become too large. Use a command.", { path: path.shown, size });
  }
  const parts: Buffer[] = [];
  let from = 0;
  for (const offset of offsets) {
    parts.push(bytes.subarray(from, offset), replacement.new);
    from = offset + replacement.old.length;
  }
  return Buffer.concat([...parts, bytes.subarray(from)]);
}

/** The line of each offset, from 1; the offsets ascend. */
function lineNumbers(bytes: Buffer, offsets: readonly number[]): number[] {
  let line = 1;
  let feed = bytes.indexOf("\n");
  return offsets.map((offset) => {
    for (; feed >= 0 && feed < offset; line++) feed = bytes.indexOf("\n", feed + 1);
    return line;
  });
}
