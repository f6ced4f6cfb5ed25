import { AppError } from "@handrail/protocol/errors";
import type { OperationArgs, OperationResult } from "@handrail/protocol/sandboxd/operations";
import { hashOf, MAX_FILE_BYTES, readContent, type FileContent } from "./file-content.ts";
import { fileEdit } from "./file-edit.ts";
import { putContent } from "./put-content.ts";
import { resolveWritable, type Resolved, type Root } from "./resolve-path.ts";

type Args = OperationArgs<"file.write">;

/** The operation `file.write`. */
export function writeFile(root: Root, args: Args): OperationResult<"file.write"> {
  const path = resolveWritable(root, args.path, "sandbox");
  const after = Buffer.from(args.text);
  if (after.length > MAX_FILE_BYTES) {
    throw new AppError("file_too_large", "The text is too large for one file.", { path: path.shown });
  }
  const before = contentIfAny(path);
  refuseUnexpected(before, args, path);
  putContent(path, after, before?.stat);
  return { path: path.shown, hash: hashOf(after), edit: fileEdit(path.shown, before?.bytes, after) };
}

function refuseUnexpected(before: FileContent | undefined, { expectedHash }: Args, path: Resolved): void {
  const details = { path: path.shown };
  if (expectedHash === null && before !== undefined) {
    throw new AppError("file_exists", "There is a file at this path already. Read it first.", details);
  }
  if (typeof expectedHash !== "string" || (before !== undefined && hashOf(before.bytes) === expectedHash)) return;
  const message = before === undefined ? "The file is gone." : "The file is not what was last read.";
  throw new AppError("file_changed", `${message} Read it again first.`, details);
}

function contentIfAny(path: Resolved): FileContent | undefined {
  try {
    return readContent(path);
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.details["errno"] === "ENOENT") return undefined;
    throw thrown;
  }
}
