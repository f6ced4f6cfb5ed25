import { driveRun } from "@handrail/core/drive-run";
import type { Journal } from "@handrail/core/journal";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import type { PrepareSeed, Seed } from "@handrail/core/ports/workspace-seed";
import type { RunPorts } from "@handrail/core/run-ports";
import { AppError } from "@handrail/protocol/errors";
import { type IdPrefix, newId } from "@handrail/protocol/ids";
import type { Logger } from "pino";
import type { KeptFiles } from "../checkpoints/kept-files.ts";
import type { SetupConfig } from "../config.ts";
import { fillWorkspace } from "@handrail/sandboxes/fill-workspace";
import { openSetupCache } from "./setups.ts";
import { systemClock } from "../clock.ts";
import { type Conversations, conversations } from "../conversations/conversations.ts";
import type { LiveDeltas } from "../conversations/live-deltas.ts";
import type { ObservedStore } from "../conversations/observed-store.ts";
import type { OpenJournals } from "../conversations/open-journals.ts";
import type { Backends, Models, Spender } from "../conversations/ports.ts";
import { type Restores, restores as restoresUnderWay } from "../conversations/restores.ts";
import { type RunCoordinator, runCoordinator } from "../conversations/run-coordinator.ts";
import { type SandboxKeeper, sandboxKeeper } from "../conversations/sandbox-keeper.ts";
import { type WarmPool, warmPool } from "../conversations/warm-pool.ts";

export type ConversationsParts = {
  readonly store: ObservedStore;
  readonly journals: OpenJournals;
  readonly deltas: LiveDeltas;
  readonly models: Models;
  readonly backends: Backends;
  readonly prepareSeed: PrepareSeed;
  readonly emptySeed: () => Promise<Seed>;
  readonly kept: KeptFiles | undefined;
  readonly setup: SetupConfig;
  readonly maxRuns: number;
  /** How many sandboxes wait for conversations at most. */
  readonly warmSandboxes: number;
  readonly log: Logger;
};

/** Everything that lives as long as the server and knows about conversations. */
export type ConversationsHost = {
  readonly conversations: Conversations;
  readonly journals: OpenJournals;
  readonly deltas: LiveDeltas;
  readonly sandboxes: SandboxKeeper;
  readonly runs: RunCoordinator;
  readonly pool: WarmPool;
  readonly restores: Restores;
  /** The conversation's sandbox, started if need be; what is waited for shows to all who watch. */
  openSandbox(journal: Journal, signal: AbortSignal): Promise<Sandbox>;
};

export const makeId = (prefix: IdPrefix) => newId(prefix, Date.now());

export function hostConversations(parts: ConversationsParts): ConversationsHost {
  const { store, journals, deltas, models, backends, prepareSeed, emptySeed, kept, log } = parts;
  const clock = systemClock;
  const onFailure = (thrown: unknown) => log.error({ err: thrown }, "background work failed");
  const sandboxes = sandboxKeeper({
    backends,
    prepareSeed,
    emptySeed,
    fillWorkspace,
    snapshots: kept?.snapshots,
    setup: { limitMs: parts.setup.limitMs, cache: openSetupCache(kept, parts.setup) },
    newId: makeId,
    clock,
  });
  const portsFor = async (id: string) =>
    runPorts(await journals.get(id), { store, models, sandboxes, deltas, kept, log });
  const runs = runCoordinator({
    portsFor,
    drive: driveRun,
    maxRuns: parts.maxRuns,
    clock,
    onFailure: (conversationId, thrown) => log.error({ err: thrown, conversationId }, "a run could not be driven"),
  });
  const pool = warmPool({
    backends,
    prepareSeed,
    clock,
    max: parts.warmSandboxes,
    onFailure: (thrown) => log.warn({ err: thrown }, "no sandbox could be made ready"),
  });
  const restores = restoresUnderWay();
  const made = { store, kept, journals, runs, sandboxes, restores, models, clock, newId: makeId, onFailure };
  const openSandbox: ConversationsHost["openSandbox"] = (journal, signal) =>
    openShown(journal, { sandboxes, deltas }, signal);
  return { conversations: conversations(made), journals, deltas, sandboxes, runs, pool, restores, openSandbox };
}

function openShown(
  journal: Journal,
  { sandboxes, deltas }: Pick<ConversationsHost, "sandboxes" | "deltas">,
  signal: AbortSignal,
) {
  const { id, archived } = journal.state;
  if (archived)
    throw new AppError("conversation_archived", "The conversation is archived. Take it out of the archive to go on.");
  return sandboxes.open(journal, (text) => deltas.emit(id, { type: "progress.delta", text }), signal);
}

type PortsParts = Pick<ConversationsParts, "store" | "models" | "kept" | "log"> &
  Pick<ConversationsHost, "sandboxes" | "deltas">;

function runPorts(journal: Journal, { store, models, sandboxes, deltas, kept, log }: PortsParts): RunPorts {
  const { id } = journal.state;
  const emit: RunPorts["emit"] = (delta) => deltas.emit(id, delta);
  return {
    journal,
    store,
    model: (modelId) => models.open(modelId, spenderOf(journal.state)),
    sandbox: (signal) => openShown(journal, { sandboxes, deltas }, signal),
    ...(kept === undefined ? {} : { snapshots: kept.snapshots }),
    clock: systemClock,
    random: Math.random,
    newId: makeId,
    emit,
    onUnforeseen: (thrown) => log.error({ err: thrown, conversationId: id }, "a run failed in a way nobody foresaw"),
  };
}

function spenderOf({ id, ownerId, teamId, limits }: Journal["state"]): Spender {
  return { conversationId: id, ownerId, teamId, maxCostUsd: limits.maxCostUsd };
}
