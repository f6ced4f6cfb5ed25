import { lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { posix } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { pathText } from "@handrail/protocol/paths";
import type { FileEntry } from "@handrail/protocol/sandboxd/file-operations";
import type { OperationArgs, OperationResult } from "@handrail/protocol/sandboxd/operations";
import { fileError } from "./file-error.ts";
import { resolveExisting, type Resolved, type Root } from "./resolve-path.ts";

/** More names than this in one directory are left out. */
const MAX_NAMES = 20_000;

/** The operation `file.list`: directories first, then by name, as bytes. */
export function listDirectory(root: Root, args: OperationArgs<"file.list">): OperationResult<"file.list"> {
  const path = resolveExisting(root, args.path, args.within);
  const names = namesIn(path);
  const entries = names.slice(0, MAX_NAMES).flatMap((name) => entryOf(path.real, name));
  const [directories, others] = [entries.filter(isDirectory), entries.filter((entry) => !isDirectory(entry))];
  const kept = [...directories, ...others].slice(0, args.limit);
  return { path: path.shown, entries: kept, more: names.length > MAX_NAMES || entries.length > args.limit };
}

const isDirectory = (entry: FileEntry) => entry.type === "directory";

function namesIn(path: Resolved): Buffer[] {
  try {
    return readdirSync(path.real, { encoding: "buffer" }).sort((one, other) => one.compare(other));
  } catch (thrown) {
    const error = fileError(thrown, path.shown);
    if (error.details["errno"] !== "ENOTDIR") throw error;
    throw new AppError("path_not_file", "This path is not a directory. Read it as a file.", error.details);
  }
}

/** None when it went meanwhile, or when this directory may be read but not entered. */
function entryOf(directory: Buffer, name: Buffer): FileEntry[] {
  const path = Buffer.from(posix.join(directory.toString("latin1"), name.toString("latin1")), "latin1");
  try {
    const stat = lstatSync(path);
    const type = typeOf(stat);
    const executable = type === "file" && (stat.mode & 0o111) !== 0;
    const entry = { name: pathText(name), type, size: stat.size, executable };
    return [type === "link" ? { ...entry, target: pathText(readlinkSync(path, { encoding: "buffer" })) } : entry];
  } catch {
    return [];
  }
}

function typeOf(stat: Stats): FileEntry["type"] {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "directory";
  return stat.isSymbolicLink() ? "link" : "other";
}
