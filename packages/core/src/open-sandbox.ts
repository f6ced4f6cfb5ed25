import type { ConversationState } from "@handrail/protocol/conversation-state";
import { toAppError } from "@handrail/protocol/errors";
import type { ConversationEvent } from "@handrail/protocol/events";
import type { Journal } from "./journal.ts";
import type { Clock } from "./ports/clock.ts";
import { bringBack, beginFork } from "./bring-back.ts";
import { checkpointEvents } from "./checkpoint.ts";
import { findOrStart } from "./find-or-start.ts";
import type { Sandbox, SandboxBackend } from "./ports/sandbox.ts";
import type { Snapshots } from "./ports/snapshots.ts";
import type { FillWorkspace, PrepareSeed, Seed } from "./ports/workspace-seed.ts";
import type { RunPorts } from "./run-ports.ts";
import { loadInstructions } from "./repository-instructions.ts";
import { setUp, type SetUp } from "./set-up.ts";

export type OpenSandbox = {
  readonly journal: Journal;
  readonly backend: SandboxBackend;
  readonly prepareSeed: PrepareSeed;
  /** A seed without files, for a workspace that is filled from a snapshot. */
  readonly emptySeed?: () => Promise<Seed>;
  readonly fillWorkspace: FillWorkspace;
  readonly clock: Clock;
  readonly snapshots?: Snapshots | undefined;
  readonly newId?: RunPorts["newId"];
  /** Absent: new workspaces are not set up. */
  readonly setup?: Pick<SetUp, "cache" | "limitMs"> | undefined;
};

/**
 * The conversation's sandbox: the one that runs, or a new one on its workspace, or, the first time, both. Writes to
 * the log what it did. A workspace that has vanished is never replaced by an empty one: it is brought back from its
 * latest checkpoint, or the conversation is at its end.
 * @throws AppError `workspace_gone` when the workspace has vanished and is kept nowhere, or a code of the backend, of
 * `prepareSeed` or of `snapshots`
 */
export async function openSandbox(
  parts: OpenSandbox,
  onProgress: (text: string) => void,
  signal: AbortSignal,
): Promise<Sandbox> {
  const { journal, clock } = parts;
  const startedAt = clock.now();
  const sandbox = await findOrStart(parts, onProgress, signal);
  await noteStart(journal, sandbox, clock.now() - startedAt);
  if (journal.state.workspace === null) await begin(parts, sandbox, onProgress, signal);
  else if (journal.state.snapshots.lost) await bringBack(parts, sandbox, onProgress, signal);
  onProgress("");
  return sandbox;
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
    const files = state.snapshots.lost ? "" : "Files are as they were; ";
    const text = `The sandbox was started anew (${sandbox.backend}). ${files}shells, their variables and background programs are gone.`;
    events.push({ type: "notice.added", audience: "both", code: "sandbox_restarted", text });
  }
  return events;
}

/** What the set-up makes is part of the start: changes are the agent's. */
async function begin(
  parts: OpenSandbox,
  sandbox: Sandbox,
  onProgress: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { journal, clock, newId, setup } = parts;
  const { fork } = journal.state.snapshots;
  if (fork === undefined && setup !== undefined && newId !== undefined) {
    await setUp({ ...setup, journal, clock, newId }, sandbox, onProgress, signal);
  }
  const start = await beginFork(parts, sandbox, signal, () => beginning(sandbox, signal));
  const instructions = await loadInstructions(sandbox, signal);
  const kept = fork === undefined ? await firstCheckpoint(parts, sandbox, signal) : [];
  await journal.commit((state) => (state.workspace === null ? [...start, ...kept, ...instructions] : []));
}

/** Before anything changes: what is brought back later is compared with this. */
async function firstCheckpoint(
  parts: OpenSandbox,
  sandbox: Sandbox,
  signal: AbortSignal,
): Promise<ConversationEvent[]> {
  const { journal, clock, snapshots, newId } = parts;
  if (snapshots === undefined || newId === undefined) return [];
  const ports = { journal, clock, snapshots, newId, sandbox: async () => sandbox };
  return checkpointEvents(ports, sandbox, "start", signal);
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
