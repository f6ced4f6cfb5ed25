import { lstatSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { posix } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { pathBytes, pathText } from "@handrail/protocol/paths";
import { fileError } from "./file-error.ts";

/** As many links as Linux follows in one path. */
const MAX_LINKS = 40;

/** `workspace` is a real path. */
export type Root = { readonly workspace: string };
export type Within = "workspace" | "sandbox";

/** A path without links: the bytes for the kernel, and the text to show, relative to the workspace when inside it. */
export type Resolved = { readonly real: Buffer; readonly shown: string };

/**
 * What a path names, links followed.
 * @throws AppError `path_missing`, `path_denied`, `path_outside`
 */
export function resolveExisting(root: Root, path: string, within: Within): Resolved {
  const full = fullPath(root, path);
  try {
    return checked(root, realpathSync.native(full, { encoding: "buffer" }), within);
  } catch (thrown) {
    const error = fileError(thrown, path);
    // What is missing outside is outside: the answer does not tell what there is.
    if (error.code === "path_missing") resolveWritable(root, path, within);
    throw error;
  }
}

/**
 * Where a file of this path is, or would be: through links, also ones that lead to nothing yet.
 * @throws AppError `path_outside`, `path_denied`
 */
export function resolveWritable(root: Root, path: string, within: Within = "workspace"): Resolved {
  try {
    return checked(root, wouldBe(fullPath(root, path).toString("latin1"), 0), within);
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}

/** The real path of what exists of a path, with the rest as it is; @throws the system's error */
function wouldBe(path: string, links: number): Buffer {
  const bytes = Buffer.from(path, "latin1");
  const stat = lstatSync(bytes, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink() === true && !exists(bytes) && links < MAX_LINKS) {
    const target = readlinkSync(bytes, { encoding: "buffer" }).toString("latin1");
    const directory = realpathSync.native(Buffer.from(posix.dirname(path), "latin1"), { encoding: "buffer" });
    return wouldBe(posix.resolve(directory.toString("latin1"), target), links + 1);
  }
  if (stat !== undefined) return realpathSync.native(bytes, { encoding: "buffer" });
  const parent = wouldBe(posix.dirname(path), links).toString("latin1");
  return Buffer.from(posix.join(parent, posix.basename(path)), "latin1");
}

/** Paths are bytes: latin1 text has one character for each of them. */
function fullPath(root: Root, path: string): Buffer {
  const given = Buffer.from(pathBytes(path)).toString("latin1");
  if (given.includes("\0")) throw new AppError("tool_arguments", "A path cannot hold a zero byte.");
  return Buffer.from(posix.resolve(Buffer.from(root.workspace).toString("latin1"), given), "latin1");
}

/** Whether a path, links followed, leads to something. */
function exists(path: Buffer): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function checked(root: Root, real: Buffer, within: Within): Resolved {
  const workspace = Buffer.from(root.workspace).toString("latin1");
  const path = real.toString("latin1");
  const below =
    path === workspace ? "." : path.startsWith(`${workspace}/`) ? path.slice(workspace.length + 1) : undefined;
  if (below === undefined && within === "workspace") {
    throw new AppError("path_outside", "This path leads out of the workspace.", { path: pathText(real).slice(0, 500) });
  }
  return { real, shown: pathText(Buffer.from(below ?? path, "latin1")) };
}
