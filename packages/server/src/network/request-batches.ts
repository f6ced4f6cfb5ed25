import type { Journal } from "@handrail/core/journal";
import type { Clock } from "@handrail/core/ports/clock";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import { toAppError } from "@handrail/protocol/errors";
import type { ConversationEvent, EventOf } from "@handrail/protocol/events";
import { type HeldRequests, heldRequests } from "./held-requests.ts";
import type { NetworkSpool } from "./network-spool.ts";
import type { SpoolEntry } from "./spool-lines.ts";

/** Requests that are over, on their way into the logs of their conversations. */
export type RequestBatches = {
  put(entry: SpoolEntry): void;
  /** Writes what is still held. */
  close(): Promise<void>;
};

export type RequestBatchesParts = {
  readonly journal: (conversationId: string) => Promise<Journal>;
  readonly spool: Pick<NetworkSpool, "id" | "isLong" | "written" | "shorten">;
  readonly clock: Clock;
  readonly onFailure: (thrown: unknown) => void;
};

const FLUSH_MS = 2000;
/** What could not be written is tried again after so long. */
const RETRY_MS = 30_000;
const BATCH = 100;
/** Conversations whose counts of the minute are remembered. */
const MAX_PAGES = 500;

type Page = {
  readonly held: HeldRequests;
  /** One batch after the other. */
  turn: Promise<void>;
  /** What is being written now. */
  writing: readonly SpoolEntry[];
  timer: NodeJS.Timeout | undefined;
  state: "idle" | "due" | "failed";
};

export function requestBatches({ journal, spool, clock, onFailure }: RequestBatchesParts): RequestBatches {
  const pages = new Map<string, Page>();
  const commit = async (id: string, entries: readonly SpoolEntry[]) => {
    const opened = await journal(id);
    await opened.commit((state) => recorded(spool.id, entries, state));
  };
  const write = async (id: string, page: Page) => {
    const entries = page.held.take();
    page.state = "idle";
    if (entries.length === 0) return;
    page.writing = entries;
    const failed = await commit(id, entries).then(() => undefined, toAppError);
    page.writing = [];
    if (failed !== undefined) onFailure(failed);
    // Without their conversation they are of no more use.
    if (failed === undefined || failed.code === "conversation_not_found") spool.written(id, lastOf(entries));
    else {
      page.held.putBack(entries);
      page.state = "failed";
      page.timer ??= setTimeout(() => flush(id, page), RETRY_MS).unref();
    }
    tidy();
  };
  const flush = (id: string, page: Page) => {
    clearTimeout(page.timer);
    page.timer = undefined;
    page.state = "due";
    page.turn = page.turn.then(() => write(id, page));
  };
  const tidy = () => {
    if (spool.isLong) spool.shorten([...pages.values()].flatMap(({ held, writing }) => [...writing, ...held.all()]));
  };
  return {
    put(entry) {
      const { conversationId: id } = entry;
      const page = pages.get(id) ?? newPage(pages, id);
      page.held.put(entry, clock.now());
      page.timer ??= setTimeout(() => inTime(page, clock.now(), () => flush(id, page)), FLUSH_MS);
      if (page.held.singles >= BATCH && page.state === "idle") flush(id, page);
      tidy();
    },
    async close() {
      for (const [id, page] of pages) flush(id, page);
      await Promise.all(Array.from(pages.values(), ({ turn }) => turn));
      for (const { timer } of pages.values()) clearTimeout(timer);
    },
  };
}

/** Later where it is a flood. */
function inTime(page: Page, now: number, flush: () => void): void {
  const waitMs = page.held.waitMs(now);
  if (waitMs > 0) page.timer = setTimeout(flush, waitMs);
  else flush();
}

const lastOf = (entries: readonly SpoolEntry[]) => Math.max(...entries.map(({ n }) => n));

function newPage(pages: Map<string, Page>, id: string): Page {
  for (const [old, { timer, state }] of pages) {
    if (pages.size >= MAX_PAGES && timer === undefined && state === "idle") pages.delete(old);
  }
  const page: Page = {
    held: heldRequests(),
    turn: Promise.resolve(),
    writing: [],
    timer: undefined,
    state: "idle",
  };
  pages.set(id, page);
  return page;
}

/** What the log has already, from before the server was killed, is not written again. */
function recorded(spool: string, entries: readonly SpoolEntry[], { spooled }: ConversationState): ConversationEvent[] {
  const before = spooled?.[spool] ?? -1;
  const requests = entries.filter(({ n }) => n > before).map(({ request }) => request);
  const events: EventOf<"network.recorded">[] = [];
  for (let from = 0; from < requests.length; from += BATCH) {
    events.push({ type: "network.recorded", requests: requests.slice(from, from + BATCH) });
  }
  const mark = { spooled: { spool, upTo: lastOf(entries) } };
  return events.map((event, index) => (index === events.length - 1 ? { ...event, ...mark } : event));
}
