import type { Journal } from "@handrail/core/journal";
import type { Clock } from "@handrail/core/ports/clock";
import type { ListQuery, LogStore } from "@handrail/core/ports/log-store";
import { continueEvents } from "@handrail/core/start-run";
import type { ContentPart } from "@handrail/protocol/content";
import { AppError } from "@handrail/protocol/errors";
import type { ConversationEvent } from "@handrail/protocol/events";
import type { IdPrefix } from "@handrail/protocol/ids";
import type { Limits } from "@handrail/protocol/limits";
import type { NetworkRule } from "@handrail/protocol/sources";
import { type ConversationSummary, summaryOf } from "@handrail/protocol/summary";
import type { KeptFiles } from "../checkpoints/kept-files.ts";
import { messageIndex, titledMessageEvents } from "./messages.ts";
import type { OpenJournals } from "./open-journals.ts";
import type { Models } from "./ports.ts";
import type { Restores } from "./restores.ts";
import type { RunCoordinator } from "./run-coordinator.ts";
import type { SandboxKeeper } from "./sandbox-keeper.ts";

export type ConversationParts = {
  readonly store: LogStore;
  readonly journals: OpenJournals;
  readonly runs: RunCoordinator;
  readonly sandboxes: SandboxKeeper;
  readonly restores: Pick<Restores, "requireNone">;
  /** Undefined when checkpoints are off. */
  readonly kept: Pick<KeptFiles, "release"> | undefined;
  readonly models: Models;
  readonly clock: Clock;
  readonly newId: (prefix: IdPrefix) => string;
  readonly onFailure: (thrown: unknown) => void;
};

export type Change = {
  readonly title?: string | undefined;
  readonly archived?: boolean | undefined;
  readonly model?: string | undefined;
  readonly limits?: Limits | undefined;
  readonly runLimits?: Limits | undefined;
  readonly network?: NetworkRule | undefined;
};

type Message = {
  readonly messageId: string | undefined;
  readonly userId: string;
  readonly content: readonly ContentPart[];
  /** Limits of the run that it starts which differ from the conversation's. */
  readonly runLimits?: Limits | undefined;
};

/** What users do with conversations that exist. Who may is decided before. */
export type Conversations = {
  readonly ownerOf: (id: string) => Promise<string>;
  get(id: string): Promise<ConversationSummary>;
  list(query: ListQuery): Promise<readonly ConversationSummary[]>;
  change(id: string, change: Change): Promise<ConversationSummary>;
  remove(id: string): Promise<void>;
  /** Adds a message, once for each id. @throws AppError `model_unset`, `conversation_archived`, `restore_active` */
  addMessage(id: string, message: Message): Promise<{ messageId: string; seq: number }>;
  /** @throws AppError `run_inactive` */
  stop(id: string): Promise<void>;
  /**
   * Limits that are not named are the conversation's.
   * @throws AppError `run_active`, `restore_active`, `run_inactive` when there is nothing to go on with
   */
  goOn(id: string, runLimits: Limits | undefined): Promise<void>;
};

export function conversations(parts: ConversationParts): Conversations {
  const { store, journals, runs } = parts;
  return {
    ownerOf: async (id) => (await store.summary(id)).ownerId,
    get: (id) => store.summary(id),
    list: (query) => store.list(query),
    async change(id, change) {
      const journal = await journals.get(id);
      if (change.model !== undefined) await parts.models.require(change.model);
      await journal.commit((state) => {
        if (change.archived === true && state.run !== null) {
          throw new AppError("run_active", "Stop the run before archiving.");
        }
        return changeEvents(change, state.archived);
      });
      if (change.archived === true) await stopQuietly(parts, journal);
      return summaryOf(journal.state);
    },
    remove: (id) => remove(parts, id),
    ...runStarts(parts),
    async stop(id) {
      const { run } = (await journals.get(id)).state;
      if (run === null) throw new AppError("run_inactive", "No run is under way.");
      runs.stop(id, run.runId);
    },
  };
}

/** What begins runs. */
function runStarts(parts: ConversationParts): Pick<Conversations, "addMessage" | "goOn"> {
  const { store, journals, runs, restores, newId } = parts;
  const index = messageIndex(store);
  return {
    async addMessage(id, { messageId = newId("m"), ...said }) {
      const journal = await journals.get(id);
      const known = await index.seqOf(journal, messageId);
      if (known !== undefined) return { messageId, seq: known };
      await parts.models.require(journal.state.model);
      const message = { ...said, messageId, runId: newId("r") };
      const stored = await journal.commit((state) => {
        if (state.lastMessageId === messageId) return [];
        restores.requireNone(id);
        return titledMessageEvents(state, message);
      });
      runs.wake(id);
      const added = stored.find(({ event }) => event.type === "message.added");
      return { messageId, seq: added?.seq ?? (await index.seqOf(journal, messageId)) ?? journal.state.head };
    },
    async goOn(id, runLimits) {
      const journal = await journals.get(id);
      await parts.models.require(journal.state.model);
      await journal.commit((state) => {
        restores.requireNone(id);
        return continueEvents(state, { runId: newId("r"), runLimits });
      });
      runs.wake(id);
    },
  };
}

function changeEvents({ title, archived, ...settings }: Change, isArchived: boolean): ConversationEvent[] {
  const events: ConversationEvent[] = [];
  if (title !== undefined) events.push({ type: "conversation.renamed", title, by: "user" });
  if (archived === true && !isArchived) events.push({ type: "conversation.archived" });
  if (archived === false && isArchived) events.push({ type: "conversation.unarchived" });
  if (Object.values(settings).some((value) => value !== undefined)) {
    events.push({ type: "conversation.configured", ...defined(settings) });
  }
  return events;
}

const defined = (fields: Omit<Change, "title" | "archived">) => JSON.parse(JSON.stringify(fields)) as object;

async function stopQuietly({ sandboxes, onFailure }: ConversationParts, journal: Journal): Promise<void> {
  if (journal.state.liveSandbox === null) return;
  await sandboxes.stop(journal, "archived").catch(onFailure);
}

/** What cannot be removed now because its backend is away is collected when the server starts the next time. */
async function remove(
  { store, journals, runs, sandboxes, kept, onFailure }: ConversationParts,
  id: string,
): Promise<void> {
  const journal = await journals.get(id);
  if (journal.state.run !== null) runs.stop(id, journal.state.run.runId);
  await runs.awaitIdle(id);
  await sandboxes.remove(journal).catch(onFailure);
  await store.remove(id);
  journals.drop(id);
  await kept?.release(journal.state.snapshots.lineage, id).catch(onFailure);
}
