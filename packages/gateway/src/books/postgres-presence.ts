import { setTimeout as pause } from "node:timers/promises";
import { newClient, within } from "./postgres-session.ts";

const BEAT_WITHIN_MS = 2000;
const BACK_AFTER_MS = 250;
const LONGEST_BEAT_MS = 1000;

export type PostgresPresence = {
  /** False while a change by another replica could be missed. */
  readonly trusted: () => boolean;
  /** For how long nothing was missed, in milliseconds. */
  readonly steadyMs: () => number;
  /** Resolves when it listens. @throws what the driver throws when that fails the first time */
  ready(): Promise<void>;
  /** `leaves`: this replica has nothing under way, and others need not wait for it. */
  close(leaves: boolean): Promise<void>;
};

type PresenceParts = {
  readonly url: string;
  readonly replica: string;
  readonly leaseMs: number;
  /** See `KeyCache.forget`. */
  readonly changed: (what: string | undefined) => void;
};

/** One connection that says that this replica lives, and hears which keys and owners were changed. */
export function postgresPresence({ url, replica, leaseMs, changed }: PresenceParts): PostgresPresence {
  const everyMs = Math.min(LONGEST_BEAT_MS, leaseMs / 6);
  const ended = new AbortController();
  const first = Promise.withResolvers<void>();
  first.promise.catch(nothing);
  const heard = lastHeard();
  let leaving = false;

  const listen = async (): Promise<void> => {
    const connection = newClient(url, BEAT_WITHIN_MS);
    const ask = (text: string, values?: readonly string[]) =>
      within(connection.query(text, values && [...values]), BEAT_WITHIN_MS);
    const beat = async (): Promise<void> => {
      await ask(BEAT, [replica]);
      heard.now();
    };
    connection.on("end", heard.lost);
    connection.on("notification", ({ payload }) => changed(payload === "" ? undefined : payload));
    try {
      await within(connection.connect(), BEAT_WITHIN_MS);
      await ask("listen handrail_keys");
      await beat();
      // What changed while nobody listened is not known.
      changed(undefined);
      first.resolve();
      while (await paused(everyMs, ended.signal)) await beat();
      if (leaving) await ask(LEAVE, [replica]);
    } finally {
      heard.lost();
      void within(connection.end(), BEAT_WITHIN_MS).catch(nothing);
    }
  };
  const running = (async (): Promise<void> => {
    do await listen().catch(first.reject);
    while (await paused(BACK_AFTER_MS, ended.signal));
  })();
  return {
    trusted: () => heard.agoMs() < 3 * everyMs,
    steadyMs: heard.steadyMs,
    ready: () => first.promise,
    async close(leaves) {
      leaving = leaves;
      ended.abort();
      await running;
    },
  };
}

/** When PostgreSQL answered last, and since when it always did. */
function lastHeard() {
  let at = -Infinity;
  let since = Infinity;
  return {
    now: (): void => {
      at = performance.now();
      since = Math.min(since, at);
    },
    lost: (): void => {
      at = -Infinity;
      since = Infinity;
    },
    agoMs: () => performance.now() - at,
    steadyMs: () => Math.max(0, performance.now() - since),
  };
}

/** Gives false when it was ended. */
async function paused(ms: number, signal: AbortSignal): Promise<boolean> {
  await pause(ms, undefined, { signal }).catch(nothing);
  return !signal.aborted;
}

/** Milliseconds, by the database's clock: those of the replicas may differ. */
export const DATABASE_NOW = "(extract(epoch from clock_timestamp()) * 1000)::bigint";
const BEAT = `insert into replicas (id, seen_at) values ($1, ${DATABASE_NOW})
  on conflict (id) do update set seen_at = excluded.seen_at`;
const LEAVE = "delete from replicas where id = $1";

const nothing = (): void => undefined;
