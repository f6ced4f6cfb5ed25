import type { Clock } from "@handrail/core/ports/clock";
import type { Journal } from "@handrail/core/journal";
import type { ConversationEvent, EventOf } from "@handrail/protocol/events";
import type { NetworkRequest } from "@handrail/protocol/network-events";

type Limit = EventOf<"network.limited">["limit"];

/** Writes what sandboxes do on the network to their conversations' logs, in batches. */
export type NetworkLog = {
  add(conversationId: string, request: NetworkRequest): void;
  /** Writes that a limit refuses requests, at most once a minute. */
  limited(conversationId: string, limit: Limit, max: number): void;
  /** Writes what is still held. */
  close(): Promise<void>;
};

export type NetworkLogParts = {
  readonly journal: (conversationId: string) => Promise<Journal>;
  readonly clock: Clock;
  readonly onFailure: (thrown: unknown) => void;
};

const FLUSH_MS = 2000;
const BATCH = 100;
const MINUTE_MS = 60_000;
/** Requests of one conversation that are written one by one in a minute; the rest is summed by host and outcome. */
const SINGLE_PER_MINUTE = 300;
/** Different sums in one batch; what is beyond goes into a sum of others. */
const MAX_SUMS = 50;

/** Conversations whose counts of the minute are remembered. */
const MAX_PAGES = 500;

type Page = {
  /** When the minute began in which `singles` are counted. */
  minuteAt: number;
  singles: number;
  readonly limitedAt: Map<Limit, number>;
  list: NetworkRequest[];
  sums: Map<string, NetworkRequest>;
  timer: NodeJS.Timeout | undefined;
};

export function networkLog({ journal, clock, onFailure }: NetworkLogParts): NetworkLog {
  const pages = new Map<string, Page>();
  const pageOf = (id: string) => pages.get(id) ?? newPage(pages, id);
  const pending = new Set<Promise<unknown>>();
  const write = (id: string, events: readonly ConversationEvent[]) => {
    if (events.length === 0) return;
    const done: Promise<unknown> = journal(id)
      .then((opened) => opened.commit(() => events))
      .catch(onFailure)
      .finally(() => pending.delete(done));
    pending.add(done);
  };
  const flush = (id: string, page: Page) => {
    clearTimeout(page.timer);
    page.timer = undefined;
    write(id, take(page));
  };

  return {
    add(id, request) {
      const page = pageOf(id);
      put(page, request, clock.now());
      page.timer ??= setTimeout(() => flush(id, page), FLUSH_MS);
      if (page.list.length >= BATCH) flush(id, page);
    },
    limited(id, limit, max) {
      const page = pageOf(id);
      const now = clock.now();
      if (now - (page.limitedAt.get(limit) ?? -Infinity) < MINUTE_MS) return;
      page.limitedAt.set(limit, now);
      write(id, [{ type: "network.limited", limit, max }]);
    },
    async close() {
      for (const [id, page] of pages) flush(id, page);
      await Promise.all(pending);
    },
  };
}

function newPage(pages: Map<string, Page>, id: string): Page {
  for (const [old, { timer }] of pages) if (pages.size >= MAX_PAGES && timer === undefined) pages.delete(old);
  const page: Page = {
    minuteAt: -Infinity,
    singles: 0,
    limitedAt: new Map(),
    list: [],
    sums: new Map(),
    timer: undefined,
  };
  pages.set(id, page);
  return page;
}

function put(page: Page, request: NetworkRequest, now: number): void {
  if (now - page.minuteAt >= MINUTE_MS) Object.assign(page, { minuteAt: now, singles: 0 });
  if (page.singles < SINGLE_PER_MINUTE) {
    page.singles += 1;
    page.list.push(request);
    return;
  }
  const { path: _, ...kind } = request;
  if (!addUp(page, kind))
    addUp(page, { ...kind, method: "", host: OTHERS, port: 0, rule: undefined, reason: undefined });
}

/** Stands for hosts that are too many to tell apart. */
const OTHERS = "(others)";

/** False: there are too many sums already. */
function addUp({ sums }: Page, one: NetworkRequest): boolean {
  const key = JSON.stringify([one.method, one.host, one.port, one.allowed, one.rule, one.reason, one.secrets]);
  const known = sums.get(key);
  if (known === undefined && sums.size >= MAX_SUMS && one.host !== OTHERS) return false;
  sums.set(key, known === undefined ? one : sum(known, one));
  return true;
}

function sum(one: NetworkRequest, other: NetworkRequest): NetworkRequest {
  return {
    ...one,
    bytesUp: one.bytesUp + other.bytesUp,
    bytesDown: one.bytesDown + other.bytesDown,
    durationMs: one.durationMs + other.durationMs,
    count: (one.count ?? 1) + (other.count ?? 1),
  };
}

/** What the page holds as events, and empties it. */
function take(page: Page): ConversationEvent[] {
  const requests = [...page.list, ...page.sums.values()];
  page.list = [];
  page.sums = new Map();
  const events: ConversationEvent[] = [];
  for (let from = 0; from < requests.length; from += BATCH) {
    events.push({ type: "network.recorded", requests: requests.slice(from, from + BATCH) });
  }
  return events;
}
