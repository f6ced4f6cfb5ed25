import type { NetworkRequest } from "@handrail/protocol/network-events";
import type { SpoolEntry } from "./spool-lines.ts";

/** Requests of one conversation that are written one by one in a minute; the rest is summed by host and outcome. */
const SINGLE_PER_MINUTE = 300;
/** Those that are held one by one while the log cannot be written. */
const MAX_SINGLE = 1000;
/** Different sums at a time; what is beyond goes into a sum of others. */
const MAX_SUMS = 50;
const MINUTE_MS = 60_000;

/** One conversation's requests on their way into its log; those of a flood are summed. */
export type HeldRequests = {
  /** How many are held one by one. */
  readonly singles: number;
  /** How long what is held should wait, so that those of a flood become few sums. */
  waitMs(now: number): number;
  put(entry: SpoolEntry, now: number): void;
  /** Takes back what could not be written. */
  putBack(entries: readonly SpoolEntry[]): void;
  all(): readonly SpoolEntry[];
  /** All, and holds them no more. */
  take(): readonly SpoolEntry[];
};

export function heldRequests(): HeldRequests {
  let list: SpoolEntry[] = [];
  let sums = new Map<string, SpoolEntry>();
  let minuteAt = -Infinity;
  let inMinute = 0;
  const all = () => [...list, ...sums.values()];
  return {
    get singles() {
      return list.length;
    },
    waitMs: (now) => (sums.size === 0 ? 0 : Math.max(0, minuteAt + MINUTE_MS - now)),
    put(entry, now) {
      if (now - minuteAt >= MINUTE_MS) [minuteAt, inMinute] = [now, 0];
      inMinute += 1;
      if (inMinute <= SINGLE_PER_MINUTE && list.length < MAX_SINGLE) list.push(entry);
      else addUp(sums, entry);
    },
    putBack(entries) {
      const back = [...entries, ...list];
      list = back.slice(0, MAX_SINGLE);
      for (const entry of back.slice(MAX_SINGLE)) addUp(sums, entry);
    },
    all,
    take() {
      const taken = all();
      list = [];
      sums = new Map();
      return taken;
    },
  };
}

/** Stands for hosts that are too many to tell apart. */
const OTHERS = "(others)";

function addUp(sums: Map<string, SpoolEntry>, { request, ...entry }: SpoolEntry): void {
  const { path: _, ...kind } = request;
  const key = keyOf(kind);
  if (sums.has(key) || sums.size < MAX_SUMS) addTo(sums, key, { ...entry, request: kind });
  else {
    const other = { ...kind, method: "", host: OTHERS, port: 0, rule: undefined, reason: undefined };
    addTo(sums, keyOf(other), { ...entry, request: other });
  }
}

const keyOf = ({ method, host, port, allowed, rule, reason, secrets }: NetworkRequest) =>
  JSON.stringify([method, host, port, allowed, rule, reason, secrets]);

function addTo(sums: Map<string, SpoolEntry>, key: string, entry: SpoolEntry): void {
  const known = sums.get(key);
  const summed = known === undefined ? entry : { ...entry, request: sum(known.request, entry.request) };
  sums.set(key, summed);
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
