import { lstatSync, realpathSync } from "node:fs";
import { posix } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { pathBytes, pathText } from "@handrail/protocol/paths";
import { fileError } from "./file-error.ts";

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
    throw fileError(thrown, path);
  }
}

/**
 * Where a file of this path is, or would be: through links of an existing one, else below what exists of the path.
 * @throws AppError `path_outside`, `path_denied`
 */
export function resolveWritable(root: Root, path: string): Resolved {
  const full = fullPath(root, path);
  if (exists(full)) return resolveExisting(root, path, "workspace");
  let parent = posix.dirname(full.toString("latin1"));
  while (!exists(Buffer.from(parent, "latin1"))) parent = posix.dirname(parent);
  try {
    const real = realpathSync.native(Buffer.from(parent, "latin1"), { encoding: "buffer" });
    const rest = full.toString("latin1").slice(parent.length);
    return checked(root, Buffer.from(posix.join(real.toString("latin1"), rest), "latin1"), "workspace");
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}

/** Paths are bytes: latin1 text has one character for each of them. */
function fullPath(root: Root, path: string): Buffer {
  const given = Buffer.from(pathBytes(path)).toString("latin1");
  if (given.includes("\0")) throw new AppError("tool_arguments", "A path cannot hold a zero byte.");
  return Buffer.from(posix.resolve(Buffer.from(root.workspace).toString("latin1"), given), "latin1");
}

function exists(path: Buffer): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
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
