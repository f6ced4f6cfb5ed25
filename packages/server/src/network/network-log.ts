import type { EventOf } from "@handrail/protocol/events";
import type { NetworkRequest } from "@handrail/protocol/network-events";
import type { BegunNetworkRequest, ByteCount, NetworkSpool } from "./network-spool.ts";
import { requestBatches, type RequestBatchesParts } from "./request-batches.ts";

type Limit = EventOf<"network.limited">["limit"];

/** A request that goes out. One of both is called, once it is over. */
export type BegunEntry = {
  readonly end: (request: NetworkRequest) => void;
  /** It is nothing to be listed. */
  readonly drop: () => void;
};

/**
 * Writes what sandboxes do on the network to their conversations' logs, in batches. What is not in a log yet is in a file,
 * and comes to its log after the next start when the server is killed.
 */
export type NetworkLog = {
  /** Before a request goes out; undefined when it could not be written down. `bytes` gives those that went so far. */
  begin(conversationId: string, request: BegunNetworkRequest, bytes: ByteCount): BegunEntry | undefined;
  /** A request that never went out. */
  add(conversationId: string, request: NetworkRequest): void;
  /** Writes that a limit refuses requests, at most once a minute. */
  limited(conversationId: string, limit: Limit, max: number): void;
  /** Writes what is still held. */
  close(): Promise<void>;
};

export type NetworkLogParts = RequestBatchesParts & {
  /** The log closes it. */
  readonly spool: NetworkSpool;
};

const MINUTE_MS = 60_000;
const MAX_REMEMBERED = 1000;

export function networkLog(parts: NetworkLogParts): NetworkLog {
  const { journal, spool, clock, onFailure } = parts;
  const batches = requestBatches(parts);
  const limitedAt = new Map<string, number>();
  const pending = new Set<Promise<unknown>>();
  for (const entry of spool.left) batches.put(entry);

  return {
    begin(id, request, bytes) {
      const begun = spool.begin(id, request, bytes);
      if (begun === undefined) return undefined;
      return { end: (ended) => batches.put(spool.end(id, ended, begun)), drop: () => spool.drop(begun) };
    },
    add: (id, request) => batches.put(spool.end(id, request)),
    limited(id, limit, max) {
      const key = `${id} ${limit}`;
      const now = clock.now();
      if (now - (limitedAt.get(key) ?? -Infinity) < MINUTE_MS) return;
      limitedAt.delete(key);
      limitedAt.set(key, now);
      for (const oldest of limitedAt.keys()) if (limitedAt.size > MAX_REMEMBERED) limitedAt.delete(oldest);
      const done: Promise<unknown> = journal(id)
        .then((opened) => opened.commit(() => [{ type: "network.limited", limit, max }]))
        .catch(onFailure)
        .finally(() => pending.delete(done));
      pending.add(done);
    },
    async close() {
      await Promise.all([batches.close(), ...pending]);
      spool.close();
    },
  };
}
