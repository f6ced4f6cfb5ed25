import { access, mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { SandboxProfile } from "@handrail/protocol/sources";
import { runProgram } from "../run-program.ts";
import { runSmallProgram } from "../small-programs.ts";
import { emptyDisks } from "../disk/empty-disk.ts";
import { hasDisk, makeDisk } from "../disk/workspace-disk.ts";

/** What the server wrote down about a sandbox before it started it. The sandbox cannot see or change it. */
export type SandboxRecord = {
  readonly sandboxId: string;
  readonly profile: SandboxProfile;
  /** What sandboxd says when it connects. */
  readonly token?: string;
  /** Who owns the workspace on the host when the server is root. */
  readonly uid?: number;
  /** The image that the conversation named. */
  readonly image?: string;
};

/** The directories of one conversation on the host. */
export type ConversationPlace = ReturnType<typeof conversationPlace>;

/** Whether an entry of the directory of conversations is one of theirs, by its name. */
export const isConversationName = (name: string): boolean => /^c_[0-9a-z]+$/.test(name);

/** `conversationId` is one of ours; anything else is refused, since it becomes part of a path. */
export function conversationPlace(directory: string, conversationId: string) {
  if (!/^[a-z0-9_-]{1,64}$/i.test(conversationId)) {
    throw new AppError("internal", "A conversation's id cannot be used as the name of a directory.");
  }
  const root = join(directory, conversationId);
  return {
    conversationId,
    root,
    workspace: join(root, "workspace"),
    state: join(root, "state"),
    /** The file system with `workspace` and `state` in it, where workspaces are bounded; they are not in `root` then. */
    image: join(root, "disk.img"),
    /** `workspace` and `state` where a program serves them to the sandbox within a bound; they are not in `root` then. */
    files: join(root, "files"),
    /** Where a sandbox's own mount namespace has the file system that bounds them. An empty directory to everybody else. */
    disk: join(root, "disk"),
    /** What says who a container's user is. */
    names: join(root, "names"),
    /** Holds the socket's directory of each start. */
    links: join(root, "links"),
    /** The table of what is mounted for a start. */
    mounts: join(root, "mounts"),
    record: join(root, "sandbox.json"),
  };
}

export async function hasWorkspace(place: ConversationPlace): Promise<boolean> {
  return (await hasDisk(place.image)) || (await hasServedFiles(place)) || isThere(place.workspace);
}

/** Whether its files are served to the sandbox within a bound. */
export const hasServedFiles = (place: ConversationPlace): Promise<boolean> => isThere(place.files);

/** The last sandbox of a conversation, or undefined when there was none or its record cannot be read. */
export async function readRecord(place: ConversationPlace): Promise<SandboxRecord | undefined> {
  try {
    const read = JSON.parse(await readFile(place.record, "utf8")) as Partial<SandboxRecord>;
    const { sandboxId, token, uid, image } = read;
    if (typeof sandboxId !== "string") return undefined;
    const profile = SandboxProfile.catch("default").parse(read.profile);
    const owner = typeof uid === "number" ? { uid } : {};
    const known = typeof token === "string" ? { token } : {};
    return { sandboxId, profile, ...known, ...owner, ...(typeof image === "string" ? { image } : {}) };
  } catch {
    return undefined;
  }
}

export async function writeRecord(place: ConversationPlace, record: SandboxRecord): Promise<void> {
  const unfinished = `${place.record}.part`;
  await writeFile(unfinished, JSON.stringify(record), { mode: 0o600 });
  await rename(unfinished, place.record);
}

export type Furnishing = {
  readonly seedDirectory: string | undefined;
  /** Who owns it all; undefined: the server's own user. */
  readonly uid: number | undefined;
  /** Undefined: workspace and home are plain directories, without a bound. */
  readonly bound: WorkspaceBound | undefined;
};

/** What bounds a new workspace and its home together: a file system in a file, or a program that serves them by FUSE. */
export type WorkspaceBound = { readonly type: "disk" | "fuse"; readonly bytes: number };

/** Makes the directories, and the workspace with its first files: whole or not at all. @throws AppError `disk_full` */
export async function furnish(place: ConversationPlace, furnishing: Furnishing): Promise<void> {
  await mkdir(place.links, { recursive: true, mode: 0o700 });
  await mkdir(place.disk, { recursive: true, mode: 0o700 });
  if ((await hasDisk(place.image)) || (await hasServedFiles(place))) return;
  const { bound } = furnishing;
  if (bound === undefined || (await isThere(place.workspace))) await furnishDirectories(place, furnishing);
  else if (bound.type === "disk") await furnishDisk(place, furnishing, bound.bytes);
  else await furnishFiles(place, furnishing);
}

const writeEmptyDisk = emptyDisks();

async function furnishDisk(place: ConversationPlace, furnishing: Furnishing, bytes: number): Promise<void> {
  const { seedDirectory, uid } = furnishing;
  if ((await isEmpty(seedDirectory)) && writeEmptyDisk(place.image, bytes, uid ?? 0)) return;
  const content = join(place.root, "content");
  await makeContent(content, furnishing);
  await makeDisk(place.image, content, bytes);
  await runOrFail("rm", ["-rf", "--", content]);
}

async function furnishFiles(place: ConversationPlace, furnishing: Furnishing): Promise<void> {
  const unfinished = `${place.files}.part`;
  await makeContent(unfinished, furnishing);
  await rename(unfinished, place.files);
}

/** Workspace, state and home in a new directory. */
async function makeContent(content: string, { seedDirectory, uid }: Furnishing): Promise<void> {
  if (await isThere(content)) await runOrFail("rm", ["-rf", "--", content]);
  for (const part of ["", "state", "state/home"]) await mkdir(join(content, part), { mode: 0o700 });
  await fill(join(content, "workspace"), seedDirectory);
  if (uid !== undefined) await own(content, uid);
}

async function isEmpty(seedDirectory: string | undefined): Promise<boolean> {
  return seedDirectory === undefined || (await readdir(seedDirectory)).length === 0;
}

async function furnishDirectories(place: ConversationPlace, { seedDirectory, uid }: Furnishing): Promise<void> {
  await mkdir(join(place.state, "home"), { recursive: true, mode: 0o700 });
  if (uid !== undefined) await own(place.state, uid);
  if (await isThere(place.workspace)) return;
  const unfinished = `${place.workspace}.part`;
  await runOrFail("rm", ["-rf", "--", unfinished]);
  await fill(unfinished, seedDirectory);
  if (uid !== undefined) await own(unfinished, uid);
  await rename(unfinished, place.workspace);
}

/**
 * Gives all in directories to the first of a sandbox's users, unless they are theirs already: what holds its root may have
 * changed since it was last started. Whose what is within is their own affair.
 */
export async function giveTo(
  users: { readonly first: number; readonly count: number },
  directories: readonly string[],
) {
  for (const directory of directories) {
    const { uid } = await stat(directory);
    if (uid < users.first || uid >= users.first + users.count) await own(directory, users.first);
  }
}

/** Forgets a conversation's directories for good. Directories that their owner may not open are opened first. */
export async function removePlace(place: ConversationPlace): Promise<void> {
  const removed = await runSmallProgram("rm", ["-rf", "--", place.root]);
  if (removed.code === 0) return;
  await runProgram("chmod", ["-R", "u+rwX", "--", place.root]);
  await runOrFail("rm", ["-rf", "--", place.root]);
}

async function fill(directory: string, seedDirectory: string | undefined): Promise<void> {
  if (seedDirectory === undefined) {
    await mkdir(directory, { mode: 0o755 });
    return;
  }
  try {
    await rename(seedDirectory, directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    // Node's own copy loses names that are not UTF-8.
    await runOrFail("cp", ["-a", "--reflink=auto", "-T", "--", seedDirectory, directory]);
  }
}

/** Links themselves change hands, never what they lead to. */
async function own(directory: string, uid: number): Promise<void> {
  await runOrFail("chown", ["-R", "-h", "-P", `${uid}:${uid}`, "--", directory]);
}

async function runOrFail(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram(program, args);
  if (code === 0) return;
  const reason = stderr.trim().slice(0, 500);
  throw new AppError("sandbox_failed", `The workspace could not be prepared: ${reason}`, { program, reason });
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
