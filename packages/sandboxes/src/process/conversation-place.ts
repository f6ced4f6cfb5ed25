import { access, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { runProgram } from "../run-program.ts";

/** What the server wrote down about a sandbox before it started it. The sandbox cannot see or change it. */
export type SandboxRecord = {
  readonly sandboxId: string;
  /** Who owns the workspace on the host when the server is root. */
  readonly uid?: number;
};

/** The directories of one conversation on the host. */
export type ConversationPlace = ReturnType<typeof conversationPlace>;

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
    /** Holds the socket's directory of each start. */
    links: join(root, "links"),
    record: join(root, "sandbox.json"),
  };
}

export function hasWorkspace(place: ConversationPlace): Promise<boolean> {
  return isThere(place.workspace);
}

/** The last sandbox of a conversation, or undefined when there was none or its record cannot be read. */
export async function readRecord(place: ConversationPlace): Promise<SandboxRecord | undefined> {
  try {
    const read = JSON.parse(await readFile(place.record, "utf8")) as Partial<SandboxRecord>;
    const { sandboxId, uid } = read;
    if (typeof sandboxId !== "string") return undefined;
    return { sandboxId, ...(typeof uid === "number" ? { uid } : {}) };
  } catch {
    return undefined;
  }
}

export async function writeRecord(place: ConversationPlace, record: SandboxRecord): Promise<void> {
  const unfinished = `${place.record}.part`;
  await writeFile(unfinished, JSON.stringify(record), { mode: 0o600 });
  await rename(unfinished, place.record);
}

/**
 * Makes the directories, and the workspace with its first files: whole or not at all. `uid` is who owns it all;
 * undefined: the server's own user.
 */
export async function furnish(
  place: ConversationPlace,
  seedDirectory: string | undefined,
  uid: number | undefined,
): Promise<void> {
  await mkdir(place.links, { recursive: true, mode: 0o700 });
  await mkdir(join(place.state, "home"), { recursive: true, mode: 0o700 });
  if (uid !== undefined) await own(place.state, uid);
  if (await isThere(place.workspace)) return;
  const unfinished = `${place.workspace}.part`;
  await runOrFail("rm", ["-rf", "--", unfinished]);
  await fill(unfinished, seedDirectory);
  if (uid !== undefined) await own(unfinished, uid);
  await rename(unfinished, place.workspace);
}

/** Forgets a conversation's directories for good. Directories that their owner may not open are opened first. */
export async function removePlace(place: ConversationPlace): Promise<void> {
  const removed = await runProgram("rm", ["-rf", "--", place.root]);
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
