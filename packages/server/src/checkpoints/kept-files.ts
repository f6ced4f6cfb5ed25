import type { OpenCheckpointStore } from "@handrail/core/ports/checkpoint-store";
import type { LogStore } from "@handrail/core/ports/log-store";
import type { Snapshots } from "@handrail/core/ports/snapshots";
import { toAppError } from "@handrail/protocol/errors";
import type { SnapshotRules } from "@handrail/protocol/snapshots";
import { collectCheckpoints, releaseCheckpoints } from "./collect.ts";
import { keptSnapshots, snapshotMover, type SnapshotMover } from "./kept-snapshots.ts";
import { type Lineages, lineagesOf } from "./lineages.ts";

/** The files of workspaces that are kept outside of their sandboxes. */
export type KeptFiles = {
  readonly snapshots: Snapshots;
  readonly lineages: Lineages;
  readonly mover: SnapshotMover;
  /** Counts a conversation that is not there yet as there, until the returned function is called. */
  readonly pin: (conversationId: string) => () => void;
  /** Forgets what a deleted conversation held on to. */
  release(lineage: string, conversationId: string): Promise<void>;
  /** Removes what no conversation of the log store holds on to, nor one that the store `mayMiss`. */
  collect(store: Pick<LogStore, "summary">, mayMiss?: (conversationId: string) => boolean): Promise<void>;
};

export type KeptFilesParts = {
  readonly open: OpenCheckpointStore;
  /** 32 bytes. */
  readonly key: Uint8Array;
  readonly rules: SnapshotRules;
};

export function keptFiles({ open, key, rules }: KeptFilesParts): KeptFiles {
  const lineages = lineagesOf(open, key);
  const mover = snapshotMover(rules);
  const pinned = new Set<string>();
  return {
    lineages,
    mover,
    snapshots: keptSnapshots(lineages, mover),
    pin(id) {
      pinned.add(id);
      return () => pinned.delete(id);
    },
    release: (lineage, id) => releaseCheckpoints(lineages, lineage, id),
    collect: (store, mayMiss = () => false) =>
      collectCheckpoints(lineages, async (id) => pinned.has(id) || mayMiss(id) || (await isThere(store, id))),
  };
}

/** A store of logs that does not answer says nothing of what is there: then nothing is removed. */
async function isThere(store: Pick<LogStore, "summary">, id: string): Promise<boolean> {
  try {
    await store.summary(id);
    return true;
  } catch (thrown) {
    if (toAppError(thrown).code === "conversation_not_found") return false;
    throw thrown;
  }
}
