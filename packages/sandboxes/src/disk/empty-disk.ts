import { giveFiles, type OwnedFiles, ownedFiles } from "./ext4-owner.ts";
import { type EmptyDirectory, placeIn, type SparseFile, sparseDisk, writeSparse } from "./sparse-disk.ts";
import { failedToMake } from "./workspace-disk.ts";

/** What is in the disk of a workspace without files. */
const EMPTY_WORKSPACE: readonly EmptyDirectory[] = [
  { path: "state", mode: 0o700 },
  { path: "state/home", mode: 0o700 },
  { path: "workspace", mode: 0o755 },
];

type Template = SparseFile & { readonly files: OwnedFiles };

/** Writes the disk of a workspace without files, which is `owner`'s. False where that takes a program, as it does at first. */
type WriteEmptyDisk = (image: string, bytes: number, owner: number) => boolean;

/**
 * Disks of workspaces without files, as copies of one that is made at the first call for its size: mke2fs and a tree for it to
 * copy take longer than all that the server does else for a start. They have one UUID, which ext4 does not mind.
 */
export function emptyDisks(): WriteEmptyDisk {
  const made = new Map<number, Template | undefined>();
  const make = async (bytes: number) => {
    made.set(bytes, undefined);
    made.set(bytes, await templateOf(bytes));
  };
  return (image, bytes, owner) => {
    // Where none can be made, each is made by itself, which says why.
    if (!made.has(bytes)) make(bytes).catch(() => undefined);
    const template = made.get(bytes);
    if (template === undefined) return false;
    const data = Buffer.from(template.data);
    giveFiles(data, template.files, owner);
    try {
      writeSparse(image, template, data);
    } catch (thrown) {
      throw failedToMake(String(thrown));
    }
    return true;
  };
}

async function templateOf(bytes: number): Promise<Template | undefined> {
  const file = await sparseDisk(bytes, EMPTY_WORKSPACE);
  const files = ownedFiles(file.data, (at) => placeIn(file, at), EMPTY_WORKSPACE.length);
  return files === undefined ? undefined : { ...file, files };
}
