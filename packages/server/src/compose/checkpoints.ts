import { join } from "node:path";
import type { OpenCheckpointStore } from "@handrail/core/ports/checkpoint-store";
import { AppError } from "@handrail/protocol/errors";
import { checkpointsOf, type Checkpoints } from "../checkpoints/checkpoints.ts";
import { type KeptFiles, keptFiles } from "../checkpoints/kept-files.ts";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Secrets } from "../settings/secrets.ts";
import { type ConversationsHost, makeId } from "./conversations.ts";
import type { State } from "./state.ts";

/** Where snapshots are kept; undefined when they are off. */
export function openKeptFiles({ home, checkpoints }: Config, secrets: Secrets): KeptFiles | undefined {
  const { store, maxFileBytes, maxTotalBytes } = checkpoints;
  if (store.type === "none") return undefined;
  const open: OpenCheckpointStore = async () => {
    if (store.type === "s3") return (await import("@handrail/checkpoints/s3-store")).s3Store(store);
    const { directoryStore } = await import("@handrail/checkpoints/directory-store");
    return directoryStore(join(home, "checkpoints"));
  };
  return keptFiles({ open, key: secrets.deriveKey("checkpoints"), rules: { maxFileBytes, maxTotalBytes } });
}

/** Checkpoints for the routes; each call fails when they are off. */
export function openCheckpoints({ kept, store }: State, host: ConversationsHost): Checkpoints {
  if (kept === undefined) return OFF;
  const { snapshots, lineages } = kept;
  return checkpointsOf({
    store,
    snapshots,
    lineages,
    journal: host.journals.get,
    restores: host.restores,
    open: (journal, signal) => host.openSandbox(journal, signal),
    clock: systemClock,
    newId: makeId,
  });
}

const off = async () => {
  throw new AppError("checkpoints_unavailable", "Checkpoints are off on this server (checkpoint-store none).");
};

const OFF: Checkpoints = { list: off, create: off, compare: off, file: off, restore: off, prepareFork: off };
