import { AppError } from "@handrail/protocol/errors";
import type { OperationArgs, OperationResult } from "@handrail/protocol/sandboxd/operations";
import { hashOf, readContent } from "./file-content.ts";
import { fileEdit } from "./file-edit.ts";
import { resolveExisting, type Root } from "./resolve-path.ts";
import { putContent } from "./write-file.ts";

/** The operation `file.edit`. Works on bytes, as latin1 text: one character for each. */
export function editFile(root: Root, args: OperationArgs<"file.edit">): OperationResult<"file.edit"> {
  const path = resolveExisting(root, args.path, "workspace");
  const { bytes, stat } = readContent(path);
  const details = { path: path.shown };
  if (args.expectedHash !== undefined && args.expectedHash !== hashOf(bytes)) {
    throw new AppError("file_changed", "The file is not what was last read. Read it again first.", details);
  }
  const { pieces, newText } = split(bytes.toString("latin1"), args);
  const replaced = pieces.length - 1;
  if (replaced === 0) throw new AppError("edit_no_match", "The old text is not in the file.", details);
  if (replaced > 1 && !args.all) {
    const message = `The old text is in the file ${replaced} times. Give more of its surroundings, or replace all.`;
    throw new AppError("edit_not_unique", message, { ...details, matches: replaced });
  }
  const after = Buffer.from(pieces.join(newText), "latin1");
  putContent(path, after, stat);
  return { path: path.shown, hash: hashOf(after), edit: fileEdit(path.shown, bytes, after), replaced };
}

/** The text around the matches. Where lines end with CRLF, text with plain line feeds stands for it. */
function split(text: string, args: { oldText: string; newText: string }) {
  const oldText = latin1(args.oldText);
  const pieces = text.split(oldText);
  if (pieces.length > 1 || !text.includes("\r\n") || args.oldText.includes("\r")) {
    return { pieces, newText: matchingEnds(text, oldText, latin1(args.newText)) };
  }
  return { pieces: text.split(withCrLf(oldText)), newText: withCrLf(latin1(args.newText)) };
}

/** A match without a line end says nothing of line ends: new lines then take those of the file, if all are CRLF. */
function matchingEnds(text: string, oldText: string, newText: string): string {
  const allCrLf = text.includes("\r\n") && !/(?<!\r)\n/.test(text);
  return allCrLf && !oldText.includes("\n") && !newText.includes("\r") ? withCrLf(newText) : newText;
}

const latin1 = (text: string) => Buffer.from(text).toString("latin1");
const withCrLf = (text: string) => text.replaceAll(/\r?\n/g, "\r\n");
