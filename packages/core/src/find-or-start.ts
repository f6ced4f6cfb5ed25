import type { ConversationState } from "@handrail/protocol/conversation-state";
import { AppError, toAppError } from "@handrail/protocol/errors";
import type { OpenSandbox } from "./open-sandbox.ts";
import type { Sandbox } from "./ports/sandbox.ts";
import type { Seed } from "./ports/workspace-seed.ts";

/** How first files are come by: prepared once, when somebody asks. */
type GetSeed = () => Promise<Seed>;

/**
 * The conversation's sandbox: the one that runs, or a new one on its workspace, or, the first time, both. A spare gets
 * the first files while it runs; one that cannot have them is removed, and a new one takes its place.
 * @throws AppError as `openSandbox`
 */
export async function findOrStart(
  parts: OpenSandbox,
  onProgress: (text: string) => void,
  signal: AbortSignal,
): Promise<Sandbox> {
  const { journal, backend } = parts;
  let seed: Promise<Seed> | undefined;
  const getSeed = () => (seed ??= firstFiles(parts, onProgress, signal));
  try {
    const running = journal.state.spare
      ? await useSpare(parts, getSeed, signal)
      : await backend.find(journal.state.id, signal).catch(unlessOtherVersion);
    return running ?? (await start(parts, getSeed, onProgress, signal));
  } finally {
    // Nobody waits for it.
    seed?.then((prepared) => prepared.dispose()).catch(() => undefined);
  }
}

/** One whose sandboxd speaks another protocol, as after an update of the server, makes room for a new one. */
function unlessOtherVersion(thrown: unknown): undefined {
  if (toAppError(thrown).code !== "sandboxd_mismatch") throw thrown;
}

/** Until its sandbox is noted, nobody has worked in it: what a crash interrupts is done again from its beginning. */
async function useSpare(parts: OpenSandbox, getSeed: GetSeed, signal: AbortSignal): Promise<Sandbox | undefined> {
  const { journal, backend, fillWorkspace } = parts;
  const { id } = journal.state;
  const [spare, seed] = await Promise.all([
    backend.find(id, signal).catch(() => undefined),
    isAsWaited(journal.state) ? undefined : getSeed(),
  ]);
  const fill = async (sandbox: Sandbox) => {
    if (seed !== undefined) await fillWorkspace(sandbox, seed, signal);
    return sandbox;
  };
  const filled = spare && (await fill(spare).catch(() => undefined));
  signal.throwIfAborted();
  if (filled === undefined) await backend.remove(id);
  return filled;
}

/** Whether the workspace begins as a spare's does: without files. Those of a fork's origin come by a restore. */
const isAsWaited = ({ source, snapshots }: ConversationState) =>
  source.type === "empty" || snapshots.fork !== undefined;

async function start(
  { journal, backend }: OpenSandbox,
  getSeed: GetSeed,
  onProgress: (text: string) => void,
  signal: AbortSignal,
): Promise<Sandbox> {
  const { id, sandbox: choice } = journal.state;
  const seedDirectory = (await backend.hasWorkspace(id)) ? undefined : (await getSeed()).directory;
  onProgress("Starting the sandbox");
  return backend.start({ conversationId: id, choice, seedDirectory }, onProgress, signal);
}

async function firstFiles(parts: OpenSandbox, onProgress: (text: string) => void, signal: AbortSignal): Promise<Seed> {
  const { journal, prepareSeed, emptySeed, snapshots } = parts;
  const { source, workspace, snapshots: kept } = journal.state;
  if (workspace === null && kept.fork === undefined) return prepareSeed(source, onProgress, signal);
  if (snapshots === undefined || emptySeed === undefined || kept.latest === null) {
    const message = "This conversation's workspace is gone, and with it the files. Start a new conversation.";
    throw new AppError("workspace_gone", message);
  }
  if (workspace !== null) {
    const detail = "It was no longer there when it was needed.";
    await journal.commit(({ snapshots: { lost } }) => (lost ? [] : [{ type: "workspace.lost", detail }]));
  }
  return emptySeed();
}
