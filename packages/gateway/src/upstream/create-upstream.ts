import { createRequire } from "node:module";
import { networkError } from "@handrail/models/network-error";
import { AppError } from "@handrail/protocol/errors";
import type { Pool } from "undici";
import type { Deployment } from "../ports/deployment.ts";
import type { Send } from "../ports/send.ts";
import { addressOf } from "./address.ts";
import { exchange } from "./exchange.ts";
import { unpacked } from "./unpacked.ts";
import { upstreamHeaders } from "./upstream-headers.ts";

export const DEFAULT_TIMEOUT_MS = 600_000;
const DEFAULT_STREAM_TIMEOUT_MS = 120_000;
const CONNECT_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;
const MAX_CONNECTIONS = 1024;

/**
 * With the first call: an idle gateway is smaller, and starts sooner, without it. By its file: the package's entry loads fetch
 * and WebSockets too, which are as large again.
 */
const loadPool = () => createRequire(import.meta.url)("undici/lib/dispatcher/pool.js") as typeof Pool;

/** The way to all providers. Whoever makes it closes it. */
export type Upstream = {
  readonly send: Send;
  /** Ends every connection. */
  close(): Promise<void>;
};

/** One pool of connections for each provider's origin. */
export function createUpstream(): Upstream {
  const pools = new Map<string, Pool>();
  const poolOf = (origin: string) => {
    const known = pools.get(origin);
    if (known) return known;
    const Connections = loadPool();
    const pool = new Connections(origin, {
      connections: MAX_CONNECTIONS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      allowH2: false,
      connect: { timeout: CONNECT_MS, noDelay: true },
    });
    pools.set(origin, pool);
    return pool;
  };
  return {
    async send({ call, format, streamed, body, subpath }, signal) {
      const { deployment, model } = call;
      const { origin, path } = addressOf(deployment, { model, format, ...(subpath !== undefined && { subpath }) });
      const headers = upstreamHeaders(deployment, format, { ...call.trace, ...call.headers }, streamed);
      const totalMs = deployment.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      const outgoing = {
        path,
        headers,
        body,
        idleMs: idleMs(deployment, streamed),
        totalMs,
        sent: call.sent,
        broken: (thrown: unknown) => broken(thrown, signal, model),
      };
      try {
        return await unpacked(await exchange(poolOf(origin), outgoing, signal), outgoing.broken);
      } catch (thrown) {
        if (signal.aborted || thrown instanceof AppError) throw thrown;
        throw networkError({ cause: thrown }, origin, model);
      }
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
      pools.clear();
    },
  };
}

/** An answer that is not streamed comes in one piece, after all of the model's work. */
function idleMs({ timeoutMs, streamTimeoutMs }: Deployment, streamed: boolean): number {
  const whole = timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return streamed ? Math.min(whole, streamTimeoutMs ?? DEFAULT_STREAM_TIMEOUT_MS) : whole;
}

/** What the reader of a body that breaks off is told, in our words. */
function broken(thrown: unknown, signal: AbortSignal, model: string): unknown {
  if (signal.aborted || thrown instanceof AppError) return thrown;
  const text = "The connection to the model broke off in the middle of its answer.";
  return new AppError("model_stream_broken", text, { model }, { cause: thrown });
}
