import type { CheckpointReason, KeptSnapshot } from "@handrail/protocol/checkpoints";
import { toAppError } from "@handrail/protocol/errors";
import type { ConversationEvent } from "@handrail/protocol/events";
import type { Sandbox } from "./ports/sandbox.ts";
import type { RunPorts } from "./run-ports.ts";

const PATIENCE_MS = 15_000;
/** How long a workspace may take to be kept. */
export const SNAPSHOT_PATIENCE_MS: number = 120_000;

type CheckpointPorts = Pick<RunPorts, "journal" | "clock" | "sandbox" | "snapshots" | "newId">;

/**
 * After a run: writes what it has changed against the workspace's start to the log, and keeps all files. A workspace
 * that cannot be compared (no git in the image, the sandbox gone, too slow) is no failure of the run: the changes are
 * then looked up when asked for. One that cannot be kept is a notice.
 */
export async function checkpoint(ports: CheckpointPorts, leave: AbortSignal): Promise<void> {
  const { journal } = ports;
  if (leave.aborted || journal.state.liveSandbox === null) return;
  const sandbox = await limited(ports, leave, PATIENCE_MS, (signal) => ports.sandbox(signal)).catch(() => undefined);
  if (sandbox === undefined) return;
  const events = await checkpointEvents(ports, sandbox, "run", leave).catch((thrown: unknown): ConversationEvent[] =>
    leave.aborted ? [] : [failureNotice(thrown)],
  );
  await journal.commit(() => events);
}

/**
 * The events of a checkpoint: the snapshot where there is a place for it, and the changes, where they can be told of just what
 * was kept. None when neither can be had.
 * @throws AppError of `Snapshots.keep`
 */
export async function checkpointEvents(
  ports: CheckpointPorts,
  sandbox: Sandbox,
  reason: CheckpointReason,
  leave: AbortSignal,
): Promise<ConversationEvent[]> {
  const { journal, snapshots } = ports;
  const checkpointId = ports.newId("p");
  const keep = (signal: AbortSignal) => snapshots?.keep(journal.state, sandbox, { checkpointId, reason }, signal);
  let snapshot: KeptSnapshot | undefined;
  let failure: ConversationEvent[] = [];
  try {
    snapshot = await limited(ports, leave, SNAPSHOT_PATIENCE_MS, async (signal) => keep(signal));
  } catch (thrown) {
    leave.throwIfAborted();
    if (reason !== "run" && reason !== "start") throw thrown;
    failure = [failureNotice(thrown)];
  }
  const compared = await limited(ports, leave, PATIENCE_MS, (signal) =>
    compare(ports, sandbox, snapshot, signal),
  ).catch(() => undefined);
  if (compared === undefined && snapshot === undefined) return failure;
  const { tree, ...told } = compared ?? NOT_KNOWN;
  return [
    { type: "workspace.checkpointed", checkpointId, tree, ...told, ...(snapshot === undefined ? {} : { snapshot }) },
    ...failure,
  ];
}

const NOT_KNOWN = { tree: "" };

/** Undefined where a run that is under way has changed files since they were kept. */
async function compare(
  { journal, snapshots }: CheckpointPorts,
  sandbox: Sandbox,
  kept: KeptSnapshot | undefined,
  signal: AbortSignal,
) {
  const { tree, changes } = await sandbox.call("workspace.changes", {}, { signal });
  const mayDiffer = kept !== undefined && journal.state.run !== null && kept.reason === "user";
  const isKept = !mayDiffer || (await snapshots?.rootNow(journal.state, sandbox, signal)) === kept.root;
  return isKept ? { tree, changes } : undefined;
}

function failureNotice(thrown: unknown): ConversationEvent {
  const { code, message } = toAppError(thrown);
  const text = `The workspace's files could not be kept. ${message}`;
  return { type: "notice.added", audience: "user", code, text };
}

/** The work, given up after a time. */
export async function limited<Value>(
  { clock }: Pick<RunPorts, "clock">,
  leave: AbortSignal,
  patienceMs: number,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const done = new AbortController();
  const patience = new AbortController();
  const late = clock.sleep(patienceMs, done.signal).then(
    () => patience.abort(new Error("It took too long.")),
    () => undefined,
  );
  try {
    return await work(AbortSignal.any([leave, patience.signal]));
  } finally {
    done.abort();
    await late;
  }
}
