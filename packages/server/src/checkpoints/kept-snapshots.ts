import type { Sandbox } from "@handrail/core/ports/sandbox";
import type { Snapshots } from "@handrail/core/ports/snapshots";
import type { KeptSnapshot } from "@handrail/protocol/checkpoints";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import type { SnapshotRules } from "@handrail/protocol/snapshots";
import type { Lineage } from "./lineage.ts";
import type { Lineages } from "./lineages.ts";
import { sweep } from "./collect.ts";
import { receiveSnapshot, receiveWanted, type Received } from "./receive.ts";
import { sendSnapshot } from "./send.ts";

const MAX_LISTED = 20;
/**
 * Of one conversation the newest `steps` checkpoints after steps stay. A lineage with more than so many indexes is
 * swept: those that were pushed out leave objects behind.
 */
export type StepLimits = { readonly steps: number; readonly indexes: number };

const TRIED_AGAIN = 1.05;

const STEP_LIMITS: StepLimits = { steps: 100, indexes: 64 };

/** Takes snapshots into lineages and puts them back. What a workspace was at last makes it fast; it is never trusted. */
export type SnapshotMover = {
  take(at: Place, signal: AbortSignal): Promise<Received>;
  /** Undefined, and nothing is stored, when `wanted` refuses the root that was taken. */
  takeIf(at: Place, wanted: (root: string) => Promise<boolean>, signal: AbortSignal): Promise<Received | undefined>;
  put(at: Place, root: string, signal: AbortSignal): ReturnType<typeof sendSnapshot>;
};

/** A conversation's sandbox, and where its snapshots are. */
export type Place = { readonly lineage: Lineage; readonly state: ConversationState; readonly sandbox: Sandbox };

/** The mover of this server. */
export function snapshotMover(rules: SnapshotRules): SnapshotMover {
  const bases = new WeakMap<Sandbox, string>();
  const baseOf = ({ state, sandbox }: Place) => bases.get(sandbox) ?? state.snapshots.latest?.root ?? null;
  const keepBase = async ({ sandbox }: Place, root: string, signal: AbortSignal) => {
    bases.set(sandbox, root);
    await sandbox.call("snapshot.keep", { root }, { signal }).catch(() => undefined);
  };
  return {
    async take(at, signal) {
      const received = await receiveSnapshot(at.lineage, at.sandbox, { rules, base: baseOf(at) }, signal);
      await keepBase(at, received.root, signal);
      return received;
    },
    async takeIf(at, wanted, signal) {
      const { lineage, sandbox } = at;
      const received = await receiveWanted(lineage, sandbox, { rules, base: baseOf(at), wanted }, signal);
      if (received !== undefined) await keepBase(at, received.root, signal);
      return received;
    },
    async put(at, root, signal) {
      const { lineage, state, sandbox } = at;
      const filled = state.workspace !== null && !state.snapshots.lost;
      const base = filled ? baseOf(at) : (bases.get(sandbox) ?? null);
      const known = base !== null && (await lineage.objects()).has(base) ? base : null;
      const restored = await sendSnapshot(lineage, sandbox, { root, base: known, rules }, signal);
      if (restored.failed.length === 0) bases.set(sandbox, root);
      return restored;
    },
  };
}

/** Makes room in a lineage that is nearly full: what nothing holds on to goes, then what holds on to checkpoints after steps. */
function roomMaker() {
  /** How many objects there are to be before it is worth to look again for what can go. */
  const again = new WeakMap<Lineage, number>();
  return async (lineage: Lineage, { snapshots: { latest } }: ConversationState): Promise<void> => {
    if (!(await lineage.isCrowded()) || lineage.objectCount < (again.get(lineage) ?? 0)) return;
    await sweep(lineage);
    if (await lineage.isCrowded()) {
      await lineage.references.removeOldSteps(latest?.checkpointId);
      await sweep(lineage);
    }
    again.set(lineage, lineage.objectCount * TRIED_AGAIN);
  };
}

/** Snapshots in the store of the server. */
export function keptSnapshots(lineages: Lineages, mover: SnapshotMover, most = STEP_LIMITS): Snapshots {
  const makeRoom = roomMaker();
  return {
    keep: (state, sandbox, { checkpointId, reason }, signal) =>
      lineages.use(state.snapshots.lineage, async (lineage) => {
        await makeRoom(lineage, state);
        const startedAt = performance.now();
        const received = await mover.take({ lineage, state, sandbox }, signal);
        await lineage.references.add({ conversationId: state.id, checkpointId, root: received.root });
        return { ...storedAs(received, startedAt), reason };
      }),
    keepStep: (state, sandbox, { checkpointId, asOf, isStill, compare }, signal) =>
      lineages.use(state.snapshots.lineage, async (lineage) => {
        await makeRoom(lineage, state);
        // Before, so that a failure of it is not one of what was kept.
        if (lineage.indexCount > most.indexes) await sweep(lineage);
        if (!isStill()) return undefined;
        const startedAt = performance.now();
        const { latest } = state.snapshots;
        const wanted = async (root: string) => {
          if (!isStill() || root === latest?.root) return false;
          await compare();
          return isStill();
        };
        const received = await mover.takeIf({ lineage, state, sandbox }, wanted, signal);
        if (received === undefined) return undefined;
        const reference = { conversationId: state.id, checkpointId, root: received.root };
        await lineage.references.addStep(reference, most.steps, latest?.checkpointId);
        return { ...storedAs(received, startedAt), reason: "step", asOf };
      }),
    rootNow: (state, sandbox, signal) =>
      lineages.use(state.snapshots.lineage, async (lineage) => {
        let root = "";
        const look = async (taken: string) => ((root = taken), false);
        await mover.takeIf({ lineage, state, sandbox }, look, signal);
        return root;
      }),
    forgetStep: (state, checkpointId) =>
      lineages.use(state.snapshots.lineage, (lineage) => lineage.references.removeStep(state.id, checkpointId)),
    restore: (state, sandbox, root, signal) =>
      lineages.use(state.snapshots.lineage, (lineage) => mover.put({ lineage, state, sandbox }, root, signal)),
  };
}

function storedAs(received: Received, startedAt: number): Omit<KeptSnapshot, "reason"> {
  const { root, files, bytes, newBytes, leftOutCount } = received;
  const leftOut = received.leftOut.slice(0, MAX_LISTED);
  return { root, files, bytes, newBytes, durationMs: Math.round(performance.now() - startedAt), leftOut, leftOutCount };
}
