import type { ConversationState } from "@handrail/protocol/conversation-state";
import { AppError, toAppError } from "@handrail/protocol/errors";
import type { ConversationEvent } from "@handrail/protocol/events";
import type { Journal } from "./journal.ts";
import type { Clock } from "./ports/clock.ts";
import type { Sandbox, SandboxBackend } from "./ports/sandbox.ts";
import type { PrepareSeed } from "./ports/workspace-seed.ts";
import { loadInstructions } from "./repository-instructions.ts";

export type OpenSandbox = {
  readonly journal: Journal;
  readonly backend: SandboxBackend;
  readonly prepareSeed: PrepareSeed;
  readonly clock: Clock;
};

/**
 * The conversation's sandbox: the one that runs, or a new one on its workspace, or, the first time, both. Writes to
 * the log what it did. A workspace that has vanished is never replaced by an empty one.
 * @throws AppError `workspace_gone` when the workspace has vanished, or a code of the backend or of `prepareSeed`
 */
export async function openSandbox(
  { journal, backend, prepareSeed, clock }: OpenSandbox,
  onProgress: (text: string) => void,
  signal: AbortSignal,
): Promise<Sandbox> {
  const { id, source, sandbox: choice, workspace } = journal.state;
  const startedAt = clock.now();
  const found = await backend.find(id, signal);
  const sandbox = found ?? (await start());
  await noteStart(journal, sandbox, clock.now() - startedAt);
  if (workspace === null) await begin(journal, sandbox, signal);
  onProgress("");
  return sandbox;

  async function start(): Promise<Sandbox> {
    const exists = await backend.hasWorkspace(id);
    if (!exists && workspace !== null) {
      const message = "This conversation's workspace is gone, and with it the files. Start a new conversation.";
      throw new AppError("workspace_gone", message);
    }
    const seed = exists ? undefined : await prepareSeed(source, onProgress, signal);
    try {
      onProgress("Starting the sandbox");
      const spec = { conversationId: id, choice, seedDirectory: seed?.directory };
      return await backend.start(spec, onProgress, signal);
    } finally {
      await seed?.dispose();
    }
  }
}

async function noteStart(journal: Journal, sandbox: Sandbox, durationMs: number): Promise<void> {
  await journal.commit((state) => {
    if (state.liveSandbox?.bootId === sandbox.bootId) return [];
    const { image } = state.sandbox;
    return [
      ...goneBefore(state, sandbox),
      {
        type: "sandbox.started",
        sandboxId: sandbox.sandboxId,
        backend: sandbox.backend,
        bootId: sandbox.bootId,
        ...(image === undefined ? {} : { image }),
        durationMs,
      },
    ];
  });
}

/** The model has to know that shells and background programs of an earlier sandbox are no more. */
function goneBefore(state: ConversationState, sandbox: Sandbox): ConversationEvent[] {
  const events: ConversationEvent[] = [];
  const { liveSandbox } = state;
  if (liveSandbox !== null) {
    const detail = "It was no longer there when it was needed.";
    events.push({ type: "sandbox.lost", sandboxId: liveSandbox.sandboxId, detail });
  }
  if (state.workspace !== null && state.totals.steps > 0) {
    const text = `The sandbox was started anew (${sandbox.backend}). Files are as they were; shells, their variables and background programs are gone.`;
    events.push({ type: "notice.added", audience: "both", code: "sandbox_restarted", text });
  }
  return events;
}

async function begin(journal: Journal, sandbox: Sandbox, signal: AbortSignal): Promise<void> {
  const start = await beginning(sandbox, signal);
  const instructions = await loadInstructions(sandbox, signal);
  await journal.commit((state) => (state.workspace === null ? [...start, ...instructions] : []));
}

/** An image without git cannot compare the workspace with its start: work goes on, and the user is told. */
async function beginning(sandbox: Sandbox, signal: AbortSignal): Promise<ConversationEvent[]> {
  try {
    const { tree: _, ...prepared } = await sandbox.call("workspace.begin", {}, { signal });
    return [{ type: "workspace.prepared", ...prepared }];
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code !== "git_missing") throw thrown;
    const text = "The sandbox's image has no git, so changes cannot be shown or taken as a patch.";
    return [
      { type: "workspace.prepared", files: 0, bytes: 0 },
      { type: "notice.added", audience: "user", code: error.code, text },
    ];
  }
}
