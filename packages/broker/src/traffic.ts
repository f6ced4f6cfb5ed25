import type { Refusal } from "./refusal.ts";

/** How much one conversation may use the network. */
export type TrafficLimits = {
  /** Bytes in both directions together, over the conversation's whole life. */
  readonly bytes: number;
  readonly requestsPerMinute: number;
  /** Connections at a time. */
  readonly connections: number;
};

export type TrafficLimit = keyof TrafficLimits;

/** What is counted of one connection to a host. */
export type Counted = { readonly bytesRead: number; readonly bytesWritten: number };

/** What conversations use of the network, held against their limits. Counts are of this process. */
export type Traffic = {
  /** Counts a connection, or says why there may be none. Call the returned function when it has closed. */
  connect(conversationId: string): (() => void) | Refusal;
  /** Counts a request, or says why it may not go. `bytesBefore` is what the log says was used. */
  request(conversationId: string, bytesBefore: number): Refusal | undefined;
  /** Counts the bytes of an open connection; `cut` is called once they are too many. Call the result at its end. */
  follow(conversationId: string, counted: Counted, cut: (refusal: Refusal) => void): () => void;
  close(): void;
};

type Use = {
  connections: number;
  /** When the minute began in which `requests` are counted. */
  minuteAt: number;
  requests: number;
  /** Of what is over. Undefined until the first request. */
  bytes: number | undefined;
  readonly open: Map<Counted, (refusal: Refusal) => void>;
};

export type TrafficParts = {
  readonly limits: TrafficLimits;
  /** A limit was reached. Called at each request that it refuses. */
  readonly onLimit: (conversationId: string, limit: TrafficLimit) => void;
  readonly now: () => number;
};

const MINUTE_MS = 60_000;
/** How often open connections are looked at: what is used beyond the limit is what passes in this time. */
const LOOK_MS = 250;

export function countTraffic({ limits, onLimit, now }: TrafficParts): Traffic {
  const uses = new Map<string, Use>();
  const useOf = (id: string) => {
    const use = uses.get(id) ?? { connections: 0, minuteAt: -Infinity, requests: 0, bytes: undefined, open: new Map() };
    uses.set(id, use);
    return use;
  };
  const reached = (id: string, limit: TrafficLimit): Refusal => {
    onLimit(id, limit);
    return REFUSALS[limit](limits[limit]);
  };
  const bytesOf = (use: Use) => [...use.open.keys()].reduce((sum, one) => sum + size(one), use.bytes ?? 0);
  const look = () => {
    for (const [id, use] of uses) {
      if (use.open.size === 0 || bytesOf(use) <= limits.bytes) continue;
      const refusal = reached(id, "bytes");
      for (const cut of use.open.values()) cut(refusal);
    }
  };
  const timer = setInterval(look, LOOK_MS).unref();

  return {
    connect(id) {
      const use = useOf(id);
      if (use.connections >= limits.connections) return reached(id, "connections");
      use.connections += 1;
      return () => {
        use.connections -= 1;
      };
    },
    request(id, bytesBefore) {
      const use = useOf(id);
      // Another process may have had the conversation meanwhile.
      use.bytes = Math.max(use.bytes ?? 0, bytesBefore);
      if (now() - use.minuteAt >= MINUTE_MS) Object.assign(use, { minuteAt: now(), requests: 0 });
      if (use.requests >= limits.requestsPerMinute) return reached(id, "requestsPerMinute");
      use.requests += 1;
      return bytesOf(use) >= limits.bytes ? reached(id, "bytes") : undefined;
    },
    follow(id, counted, cut) {
      const use = useOf(id);
      use.open.set(counted, cut);
      return () => {
        use.open.delete(counted);
        use.bytes = (use.bytes ?? 0) + size(counted);
      };
    },
    close: () => clearInterval(timer),
  };
}

const size = ({ bytesRead, bytesWritten }: Counted) => bytesRead + bytesWritten;

const REFUSALS: { readonly [Limit in TrafficLimit]: (max: number) => Refusal } = {
  bytes: (max) => ({ code: "too_many_bytes", message: `This conversation has used up its ${max} bytes of network.` }),
  requestsPerMinute: (max) => ({
    code: "too_many_requests",
    message: `More than ${max} requests in a minute. Wait, and send fewer.`,
  }),
  connections: (max) => ({
    code: "too_many_connections",
    message: `${max} connections are open. Close some first.`,
  }),
};
