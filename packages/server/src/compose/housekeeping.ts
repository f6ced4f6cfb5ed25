import type { LogStore } from "@handrail/core/ports/log-store";
import type { SandboxBackend } from "@handrail/core/ports/sandbox";
import { toAppError } from "@handrail/protocol/errors";
import type { ConversationSummary } from "@handrail/protocol/summary";
import type { Logger } from "pino";
import type { KeptFiles } from "../checkpoints/kept-files.ts";
import type { SetupConfig } from "../config.ts";
import { collectSetups } from "../setups/setup-store.ts";
import type { Backends } from "../conversations/ports.ts";
import type { ConversationsHost } from "./conversations.ts";

export type HousekeepingParts = {
  readonly store: LogStore;
  readonly kept: KeptFiles | undefined;
  readonly host: ConversationsHost;
  readonly backends: Backends;
  /** A sandbox that nothing has used for so long is stopped. */
  readonly idleMs: number;
  readonly setup: SetupConfig;
  /** Conversations that are kept although the store does not have them. */
  readonly mayMiss?: (conversationId: string) => boolean;
  readonly log: Logger;
  /** How long after the start leftovers are collected. Default 3 s: what users wait for comes first. */
  readonly collectAfterMs?: number;
  /** How often they are collected after that: a daemon may have been away, or have ended later what it was asked for. Default each hour. */
  readonly collectEveryMs?: number;
  /** How often idle sandboxes are looked for. Default each minute. */
  readonly stopIdleEveryMs?: number;
};

const COLLECT_AFTER_MS = 3000;
const COLLECT_EVERY_MS = 3_600_000;
const TIDY_SETUPS_EVERY_MS = 3_600_000;
const STOP_IDLE_EVERY_MS = 60_000;
const PAGE = 200;
/** How many conversations are asked about sandboxes that an earlier start of the server left. */
const RECENT = 200;

/** Resumes runs that were left open, and keeps the machine clean, until stopped. */
export function housekeeping(parts: HousekeepingParts): { stop(): void } {
  const report = (what: string) => (thrown: unknown) => parts.log.warn({ err: thrown }, what);
  resumeRuns(parts).catch(report("runs could not be resumed"));
  const first = setTimeout(() => {
    collectAndAdopt(parts).catch(report("sandboxes of an earlier start could not be looked for"));
    parts.kept
      ?.collect(parts.store, parts.mayMiss)
      .catch(report("checkpoints that nobody holds on to could not be removed"));
    tidySetups(parts).catch(report("kept set-ups could not be tidied"));
  }, parts.collectAfterMs ?? COLLECT_AFTER_MS).unref();
  const again = setInterval(() => {
    collect(parts).catch(report("what is left of deleted conversations could not be looked for"));
  }, parts.collectEveryMs ?? COLLECT_EVERY_MS).unref();
  const setups = setInterval(() => {
    tidySetups(parts).catch(report("kept set-ups could not be tidied"));
  }, TIDY_SETUPS_EVERY_MS).unref();
  const every = setInterval(() => {
    stopIdle(parts).catch(report("idle sandboxes could not be stopped"));
  }, parts.stopIdleEveryMs ?? STOP_IDLE_EVERY_MS).unref();
  return {
    stop() {
      clearTimeout(first);
      clearInterval(again);
      clearInterval(every);
      clearInterval(setups);
    },
  };
}

async function resumeRuns({ store, host }: HousekeepingParts): Promise<void> {
  for await (const { id } of allConversations(store, ["working"])) host.runs.wake(id);
}

async function tidySetups({ kept, setup }: HousekeepingParts): Promise<void> {
  if (kept !== undefined) await collectSetups(kept.lineages, setup.cacheBytes, Date.now());
}

async function stopIdle(parts: HousekeepingParts): Promise<void> {
  const { host, idleMs, log } = parts;
  await stopUnusedSpares(parts);
  for (const id of host.sandboxes.unusedSince(Date.now() - idleMs)) {
    const journal = await host.journals.get(id);
    if (journal.state.run !== null || host.runs.isDriven(id)) continue;
    await host.sandboxes.stop(journal, "idle");
    log.info({ conversationId: id }, "stopped an idle sandbox");
  }
}

/** A spare whose conversation had no command since it was claimed is as idle as any other. */
async function stopUnusedSpares({ host, idleMs }: HousekeepingParts): Promise<void> {
  for (const id of host.pool.claimedBefore(Date.now() - idleMs)) {
    if (host.runs.isDriven(id)) continue;
    const journal = await host.journals.get(id).catch(unlessDeleted);
    if (journal?.state.spare === true) await host.sandboxes.stop(journal, "idle");
    host.pool.forget(id);
  }
}

function unlessDeleted(thrown: unknown): undefined {
  if (toAppError(thrown).code !== "conversation_not_found") throw thrown;
}

/** Sandboxes that an earlier start left of conversations are taken over, once what is left of no conversation is gone. */
async function collectAndAdopt(parts: HousekeepingParts): Promise<void> {
  const { working, recent } = await collect(parts);
  for (const backend of working) {
    for (const { id } of recent.filter((summary) => summary.backend === backend.name)) {
      await adopt(parts.host, backend, id).catch((thrown: unknown) => {
        parts.log.warn({ err: thrown, conversation: id }, "a sandbox of an earlier start could not be taken over");
      });
    }
  }
}

type Collected = { readonly working: readonly SandboxBackend[]; readonly recent: readonly ConversationSummary[] };

/**
 * Conversations made meanwhile are kept too: the set grows with every log that is created. A backend that fails keeps no
 * other from being tidied.
 */
async function collect({ store, host, backends, mayMiss, log }: HousekeepingParts): Promise<Collected> {
  const known = new Set<string>();
  const keep = { has: (id: string) => known.has(id) || mayMiss?.(id) === true };
  const unwatch = store.onAppend((id) => known.add(id));
  const unpool = host.pool.keepIn(known);
  const recent: ConversationSummary[] = [];
  try {
    for await (const summary of allConversations(store)) {
      known.add(summary.id);
      if (recent.length < RECENT && summary.state !== "working") recent.push(summary);
    }
    const infos = (await backends.health(AbortSignal.timeout(30_000))).filter((info) => info.works);
    const working = await Promise.all(infos.map(({ name }) => backends.get(name)));
    for (const backend of working) {
      await backend.collect(keep).catch((thrown: unknown) => {
        log.warn({ err: thrown, backend: backend.name }, "what is left of deleted conversations could not be removed");
      });
    }
    return { working, recent };
  } finally {
    unpool();
    unwatch();
    log.debug("looked for what is left over");
  }
}

/** A sandbox that runs since an earlier start counts as idle from now on. One of another version is of no use, and stops. */
async function adopt(host: ConversationsHost, backend: SandboxBackend, id: string): Promise<void> {
  const signal = AbortSignal.timeout(5000);
  const found = await backend.find(id, signal).catch((thrown: unknown) => {
    if (toAppError(thrown).code === "sandboxd_mismatch") return "of another version" as const;
    throw thrown;
  });
  if (found === undefined) return;
  const journal = await host.journals.get(id);
  // Nobody knows for how long a spare has waited.
  if (found === "of another version" || journal.state.spare) await host.sandboxes.stop(journal, "idle");
  else await host.sandboxes.find(journal, signal);
}

async function* allConversations(store: LogStore, states?: readonly ConversationSummary["state"][]) {
  for (let after: { updatedAt: number; id: string } | undefined; ;) {
    const query = { limit: PAGE, ...(states && { states }), ...(after && { after }) };
    const page = await store.list(query);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = { updatedAt: last.updatedAt, id: last.id };
  }
}
