import type { Handlers } from "../handlers.ts";
import { editFile } from "./edit-file.ts";
import { listDirectory } from "./list-directory.ts";
import { readFileBytes, readFilePart } from "./read-file.ts";
import { writeFile } from "./write-file.ts";

type FileOperations = Pick<Handlers, "file.read" | "file.bytes" | "file.write" | "file.edit" | "file.list">;

/** The operations on single files. `workspace` is a real path. */
export function fileOperations(place: { readonly workspace: string }): FileOperations {
  return {
    "file.read": (args, call) => readFilePart(place, args, call.signal),
    "file.bytes": async (args) => readFileBytes(place, args),
    "file.write": async (args) => writeFile(place, args),
    "file.edit": async (args) => editFile(place, args),
    "file.list": async (args) => listDirectory(place, args),
  };
}
