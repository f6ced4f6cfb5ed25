import type { LogStore } from "@handrail/core/ports/log-store";
import type { FileChange } from "@handrail/protocol/changes";
import type { CheckpointPoint } from "@handrail/protocol/checkpoints";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import { AppError } from "@handrail/protocol/errors";
import type { EventOf, StoredEvent } from "@handrail/protocol/events";
import type { Lineages } from "./lineages.ts";

/** A checkpoint of which files were kept, with its place in the log. */
export type Kept = { readonly stored: StoredEvent; readonly event: EventOf<"workspace.checkpointed"> };

/** Which checkpoint is meant: this one, the newest that tells of the files at an event or before it, or the latest. */
export type Which = { readonly checkpointId?: string | undefined; readonly seq?: number | undefined };

/** `asOf`: the event after which the workspace was like this. */
export type Moment = CheckpointPoint & { readonly asOf: number };

/** Where a conversation's checkpoints are: what its log says of them, and which are still held on to. */
export type PointsParts = {
  readonly store: Pick<LogStore, "read">;
  readonly lineages: Pick<Lineages, "heldBy">;
};

const PAGE = 1000;
/** A fork's log begins with them. */
const MAX_TOLD = 1000;

/** The checkpoints of one conversation, oldest first. */
export async function keptIn(parts: PointsParts, state: ConversationState): Promise<Kept[]> {
  const held = await heldBy(parts, state);
  const kept: Kept[] = [];
  for await (const stored of eventsOf(parts.store, state.id)) {
    const { event } = stored;
    if (event.type !== "workspace.checkpointed" || event.snapshot === undefined) continue;
    if (held.has(event.checkpointId)) kept.push({ stored, event });
  }
  return kept;
}

/** @throws AppError `checkpoint_unknown`, also for a `seq` that the log has not come to; `bad_request` when both are named */
export async function momentOf(
  parts: PointsParts,
  state: ConversationState,
  { checkpointId, seq }: Which,
): Promise<Moment> {
  if (checkpointId !== undefined && seq !== undefined) {
    throw new AppError("bad_request", "Name a checkpoint or a seq, not both.");
  }
  const held = await heldBy(parts, state);
  const moments = (await momentsIn(parts, state)).filter((moment) => held.has(moment.checkpointId));
  if (checkpointId !== undefined) {
    const found = moments.find((moment) => moment.checkpointId === checkpointId);
    if (found !== undefined) return found;
    throw unknownCheckpoint("There is no such checkpoint in this conversation, or it is no longer kept.");
  }
  const most = seq ?? state.head;
  if (most > state.head) {
    throw unknownCheckpoint(`This conversation has no event ${most}. Its last is ${state.head}.`);
  }
  const before = moments.filter(({ asOf }) => asOf <= most).toSorted((one, other) => one.asOf - other.asOf);
  const last = before.at(-1);
  if (last !== undefined) return last;
  throw unknownCheckpoint("Nothing of this conversation's files was kept by then.");
}

type Named = Pick<CheckpointPoint, "checkpointId">;
type Points = Readonly<Record<"start" | "from", CheckpointPoint>>;

/**
 * What changed between a conversation's start and a checkpoint, as its log says, where that is of the very files that were
 * kept: none was left out. Undefined where it is not, or it is much.
 */
export async function toldChanges(
  parts: PointsParts,
  state: ConversationState,
  { start, from }: Points,
): Promise<readonly FileChange[] | undefined> {
  const { fork } = state.snapshots;
  const kept = await keptIn(parts, state);
  const isWholeStart = isSame(fork?.start, start) ? fork?.changes !== undefined : wholeAt(kept, start) !== undefined;
  if (!isWholeStart) return undefined;
  return isSame(fork?.from, from) ? fork?.changes : changesIn(wholeAt(kept, from));
}

const isSame = (one: Named | undefined, { checkpointId }: Named) => one?.checkpointId === checkpointId;

/** Undefined where files were left out. */
function wholeAt(kept: readonly Kept[], point: CheckpointPoint): Kept["event"] | undefined {
  const event = kept.find((one) => isSame(point, one.event))?.event;
  return event?.snapshot?.leftOutCount === 0 ? event : undefined;
}

function changesIn(event: Kept["event"] | undefined): readonly FileChange[] | undefined {
  if (event?.changes === undefined || event.changes.length > MAX_TOLD) return undefined;
  return event.tree === "" ? undefined : event.changes;
}

async function momentsIn({ store }: PointsParts, { id, snapshots: { fork } }: ConversationState): Promise<Moment[]> {
  const moments: Moment[] = fork === undefined ? [] : [fork.start, fork.from].map((point) => ({ ...point, asOf: 0 }));
  for await (const stored of eventsOf(store, id)) {
    const moment = momentIn(stored);
    if (moment !== undefined) moments.push(moment);
  }
  return moments;
}

const heldBy = ({ lineages }: PointsParts, { id, snapshots }: ConversationState) =>
  lineages.heldBy(snapshots.lineage, id);

/** A workspace that was restored is from then on as it was at that checkpoint. */
function momentIn({ seq, event }: StoredEvent): Moment | undefined {
  if (event.type === "workspace.restored") return { checkpointId: event.checkpointId, root: event.root, asOf: seq };
  if (event.type !== "workspace.checkpointed" || event.snapshot === undefined) return undefined;
  const { root, asOf } = event.snapshot;
  return { checkpointId: event.checkpointId, root, asOf: asOf ?? seq };
}

async function* eventsOf(store: Pick<LogStore, "read">, id: string): AsyncGenerator<StoredEvent> {
  for (let after = -1; ;) {
    const page = await store.read(id, after, PAGE);
    yield* page;
    after = page.at(-1)?.seq ?? after;
    if (page.length < PAGE) return;
  }
}

const unknownCheckpoint = (message: string) => new AppError("checkpoint_unknown", message);
