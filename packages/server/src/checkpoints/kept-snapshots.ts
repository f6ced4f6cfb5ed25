import type { Snapshots } from "@handrail/core/ports/snapshots";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import type { SnapshotRules } from "@handrail/protocol/snapshots";
import type { Lineages } from "./lineages.ts";
import { receiveSnapshot } from "./receive.ts";
import { sendSnapshot } from "./send.ts";

const MAX_LISTED = 20;

/** Snapshots in the store of the server. */
export function keptSnapshots(lineages: Lineages, rules: SnapshotRules): Snapshots {
  /** What the workspace of a started sandboxd was at last: its own way to be fast, never trusted. */
  const bases = new WeakMap<Sandbox, string>();
  const baseOf = (state: ConversationState, sandbox: Sandbox) =>
    bases.get(sandbox) ?? state.snapshots.latest?.root ?? null;
  return {
    keep: (state, sandbox, { checkpointId, reason }, signal) =>
      lineages.use(state.snapshots.lineage, async (lineage) => {
        const startedAt = performance.now();
        const base = baseOf(state, sandbox);
        const received = await receiveSnapshot(lineage, sandbox, { rules, base }, signal);
        const { root, files, bytes, newBytes, leftOutCount } = received;
        await lineage.addReference({ conversationId: state.id, checkpointId, root });
        bases.set(sandbox, root);
        await sandbox.call("snapshot.keep", { root }, { signal }).catch(() => undefined);
        const leftOut = received.leftOut.slice(0, MAX_LISTED);
        const durationMs = Math.round(performance.now() - startedAt);
        return { root, reason, files, bytes, newBytes, durationMs, leftOut, leftOutCount };
      }),
    restore: (state, sandbox, root, signal) =>
      lineages.use(state.snapshots.lineage, async (lineage) => {
        const base = state.workspace === null || state.snapshots.lost ? null : baseOf(state, sandbox);
        const known = base !== null && (await lineage.objects()).has(base) ? base : null;
        const restored = await sendSnapshot(lineage, sandbox, { root, base: known, rules }, signal);
        if (restored.failed.length === 0) bases.set(sandbox, root);
        return restored;
      }),
  };
}
