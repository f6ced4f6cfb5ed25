import type { Sandbox } from "@handrail/core/ports/sandbox";
import type { Snapshots } from "@handrail/core/ports/snapshots";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import type { SnapshotRules } from "@handrail/protocol/snapshots";
import type { Lineage } from "./lineage.ts";
import type { Lineages } from "./lineages.ts";
import { receiveSnapshot, type Received } from "./receive.ts";
import { sendSnapshot } from "./send.ts";

const MAX_LISTED = 20;

/** Takes snapshots into lineages and puts them back. What a workspace was at last makes it fast; it is never trusted. */
export type SnapshotMover = {
  take(at: Place, signal: AbortSignal): Promise<Received>;
  put(at: Place, root: string, signal: AbortSignal): ReturnType<typeof sendSnapshot>;
};

/** A conversation's sandbox, and where its snapshots are. */
export type Place = { readonly lineage: Lineage; readonly state: ConversationState; readonly sandbox: Sandbox };

/** The mover of this server. */
export function snapshotMover(rules: SnapshotRules): SnapshotMover {
  const bases = new WeakMap<Sandbox, string>();
  const baseOf = ({ state, sandbox }: Place) => bases.get(sandbox) ?? state.snapshots.latest?.root ?? null;
  return {
    async take(at, signal) {
      const { lineage, sandbox } = at;
      const received = await receiveSnapshot(lineage, sandbox, { rules, base: baseOf(at) }, signal);
      bases.set(sandbox, received.root);
      await sandbox.call("snapshot.keep", { root: received.root }, { signal }).catch(() => undefined);
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

/** Snapshots in the store of the server. */
export function keptSnapshots(lineages: Lineages, mover: SnapshotMover): Snapshots {
  return {
    keep: (state, sandbox, { checkpointId, reason }, signal) =>
      lineages.use(state.snapshots.lineage, async (lineage) => {
        const startedAt = performance.now();
        const received = await mover.take({ lineage, state, sandbox }, signal);
        const { root, files, bytes, newBytes, leftOutCount } = received;
        await lineage.addReference({ conversationId: state.id, checkpointId, root });
        const leftOut = received.leftOut.slice(0, MAX_LISTED);
        const durationMs = Math.round(performance.now() - startedAt);
        return { root, reason, files, bytes, newBytes, durationMs, leftOut, leftOutCount };
      }),
    restore: (state, sandbox, root, signal) =>
      lineages.use(state.snapshots.lineage, (lineage) => mover.put({ lineage, state, sandbox }, root, signal)),
  };
}
