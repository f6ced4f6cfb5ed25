import { AppError, type ErrorCode, tooManyFiles } from "@handrail/protocol/errors";

const CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ["path_missing", "There is nothing at this path."],
  ENOTDIR: ["path_missing", "A part of this path is not a directory."],
  EEXIST: ["path_not_file", "A file is where this path needs a directory."],
  EISDIR: ["path_not_file", "This path is a directory."],
  ENXIO: ["path_not_file", "This path is not a regular file."],
  ELOOP: ["path_outside", "The links of this path lead in a circle, or changed meanwhile."],
  EACCES: ["path_denied", "The sandbox's user may not do this here."],
  EPERM: ["path_denied", "The sandbox's user may not do this here."],
  EROFS: ["path_denied", "This part of the sandbox is read-only."],
  ENAMETOOLONG: ["tool_arguments", "This path is too long."],
  ENOSPC: ["disk_full", "The sandbox's disk is full. Remove something, then try again."],
  EDQUOT: ["disk_full", "The sandbox's disk quota is used up. Remove something, then try again."],
  EFBIG: ["disk_full", "The file is larger than the sandbox allows."],
};

const rowOf = (errno: string) => {
  const [code, message] = CODES[errno] ?? ["internal", "The file cannot be used."];
  return { code, message };
};

/** What a file system call threw, as an error of the table; `path` is what the caller named. */
export function fileError(thrown: unknown, path: string): AppError {
  if (thrown instanceof AppError) return thrown;
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  const { code: row, message } = tooManyFiles(thrown) ?? rowOf(code);
  return new AppError(
    row,
    message,
    { path: path.slice(0, 500), ...(code === "" ? {} : { errno: code }) },
    { cause: thrown },
  );
}
