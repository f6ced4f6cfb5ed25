import type { FileChange } from "@handrail/protocol/changes";
import type { CheckpointPoint } from "@handrail/protocol/checkpoints";
import { AppError } from "@handrail/protocol/errors";
import type { ConversationEvent, EventOf } from "@handrail/protocol/events";
import type { OpenSandbox } from "./open-sandbox.ts";
import type { Restored } from "./ports/snapshots.ts";
import type { Sandbox } from "./ports/sandbox.ts";

/**
 * Fills a workspace that vanished from its latest checkpoint. First come the files that it began with, so that its
 * changes are again against those. What a crash interrupts is done again when the sandbox is opened the next time.
 * @throws AppError `workspace_gone` when nothing was kept, or a code of `Snapshots.restore`
 */
export async function bringBack(
  parts: OpenSandbox,
  sandbox: Sandbox,
  onProgress: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { journal } = parts;
  const { start, latest } = journal.state.snapshots;
  if (latest === null) throw new AppError("workspace_gone", "This conversation's workspace is gone, and was not kept.");
  onProgress("Bringing the files back");
  await restoreStart(parts, sandbox, start?.root ?? latest.root, signal);
  const event = await restoreTo(parts, sandbox, { point: latest }, signal);
  const failed = event.failed.length === 0 ? "" : ` ${event.failed.length} of them could not be brought back.`;
  const text = `The workspace was lost. Its files are again as they were at the latest checkpoint; later changes are gone, and so is what checkpoints leave out (large files and caches).${failed}`;
  await journal.commit(({ snapshots: { lost } }) =>
    lost ? [event, { type: "notice.added", audience: "both", code: "workspace_brought_back", text }] : [],
  );
}

/** The first events of a workspace; in a fork, its files come from the origin's checkpoints. */
export async function beginFork(
  parts: OpenSandbox,
  sandbox: Sandbox,
  signal: AbortSignal,
  beginning: () => Promise<ConversationEvent[]>,
): Promise<ConversationEvent[]> {
  const { fork } = parts.journal.state.snapshots;
  if (fork === undefined) return beginning();
  const { failed } = await restoreFiles(parts, sandbox, fork.start.root, signal);
  const start = await beginning();
  const known = failed.length === 0 ? fork.changes : undefined;
  return [...start, await restoreTo(parts, sandbox, { point: fork.from, known }, signal)];
}

/** An image without git has no start to compare with. */
async function restoreStart(parts: OpenSandbox, sandbox: Sandbox, root: string, signal: AbortSignal): Promise<void> {
  await restoreFiles(parts, sandbox, root, signal);
  await sandbox.call("workspace.begin", {}, { signal }).catch(() => signal.throwIfAborted());
}

/** `known`: what the files at the point change against the start. */
type RestoreTo = { readonly point: CheckpointPoint; readonly known?: readonly FileChange[] | undefined };

/** Restores, and tells the changes against the start. */
export async function restoreTo(
  parts: Pick<OpenSandbox, "journal" | "snapshots">,
  sandbox: Sandbox,
  { point: { checkpointId, root }, known }: RestoreTo,
  signal: AbortSignal,
): Promise<EventOf<"workspace.restored">> {
  const { written, removed, failed } = await restoreFiles(parts, sandbox, root, signal);
  const changes = (failed.length === 0 ? known : undefined) ?? (await changesNow(sandbox, signal));
  return {
    type: "workspace.restored",
    checkpointId,
    root,
    written,
    removed,
    failed: [...failed],
    changes: [...changes],
  };
}

async function changesNow(sandbox: Sandbox, signal: AbortSignal): Promise<readonly FileChange[]> {
  const compared = await sandbox.call("workspace.changes", {}, { signal }).catch(() => undefined);
  signal.throwIfAborted();
  return compared?.changes ?? [];
}

async function restoreFiles(
  { journal, snapshots }: Pick<OpenSandbox, "journal" | "snapshots">,
  sandbox: Sandbox,
  root: string,
  signal: AbortSignal,
): Promise<Restored> {
  if (snapshots === undefined) throw new AppError("workspace_gone", "Checkpoints are off on this server.");
  return snapshots.restore(journal.state, sandbox, root, signal);
}
