import { statSync } from "node:fs";
import { posix } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { pathText } from "@handrail/protocol/paths";
import { fileError } from "../files/file-error.ts";
import { resolveExisting, type Root } from "../files/resolve-path.ts";

/**
 * Where to search. ripgrep starts in `cwd`, so that globs are relative to the directory that was asked for, and looks
 * at `target`. `shown` makes a path of its output one for the caller: relative to the workspace when inside it.
 */
export type SearchPlace = {
  readonly cwd: string;
  readonly target: string;
  readonly shown: (path: Buffer) => string;
};

/** @throws AppError `path_missing`, `path_denied`, `path_not_file`; `search_failed` for paths that cannot be given to a program */
export function searchPlace(root: Root, path: string): SearchPlace {
  const { real, shown } = resolveExisting(root, path, "sandbox");
  const text = real.toString();
  if (!Buffer.from(text).equals(real)) {
    throw new AppError("search_failed", "This path is not UTF-8. Search a directory above it.", { path: shown });
  }
  const isDirectory = isDirectoryAt(real, shown);
  const cwd = isDirectory ? text : posix.dirname(text);
  const base = Buffer.from(cwd).toString("latin1");
  const workspace = Buffer.from(root.workspace).toString("latin1");
  return {
    cwd,
    target: isDirectory ? "./" : `./${posix.basename(text)}`,
    shown: (found) => shownPath(posix.join(base, found.toString("latin1")), workspace),
  };
}

function isDirectoryAt(path: Buffer, shown: string): boolean {
  try {
    const stat = statSync(path);
    if (stat.isFile() || stat.isDirectory()) return stat.isDirectory();
  } catch (thrown) {
    throw fileError(thrown, shown);
  }
  throw new AppError("path_not_file", "This path is neither a file nor a directory.", { path: shown });
}

/** Of paths as latin1. */
function shownPath(path: string, workspace: string): string {
  const below = path.startsWith(`${workspace}/`) ? path.slice(workspace.length + 1) : path;
  return pathText(Buffer.from(below, "latin1"));
}
