import { lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { posix } from "node:path";
import { pathText } from "@handrail/protocol/paths";
import type { FileEntry, OperationArgs, OperationResult } from "@handrail/protocol/sandboxd/operations";
import { fileError } from "./file-error.ts";
import { resolveExisting, type Root } from "./resolve-path.ts";

/** The operation `file.list`: entries by name, as bytes. */
export function listDirectory(root: Root, args: OperationArgs<"file.list">): OperationResult<"file.list"> {
  const path = resolveExisting(root, args.path, args.within);
  try {
    const names = readdirSync(path.real, { encoding: "buffer" }).sort((one, other) => one.compare(other));
    const entries = names.slice(0, args.limit).flatMap((name) => entryOf(path.real, name));
    return { path: path.shown, entries, more: names.length > args.limit };
  } catch (thrown) {
    throw fileError(thrown, path.shown);
  }
}

/** None when it went meanwhile. */
function entryOf(directory: Buffer, name: Buffer): FileEntry[] {
  const path = Buffer.from(posix.join(directory.toString("latin1"), name.toString("latin1")), "latin1");
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  const type = typeOf(stat);
  const entry = {
    name: pathText(name),
    type,
    size: stat.size,
    executable: type === "file" && (stat.mode & 0o111) !== 0,
  };
  return [type === "link" ? { ...entry, target: pathText(readlinkSync(path, { encoding: "buffer" })) } : entry];
}

function typeOf(stat: Stats): FileEntry["type"] {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "directory";
  return stat.isSymbolicLink() ? "link" : "other";
}
