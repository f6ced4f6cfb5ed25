import { createClient } from "redis";
import { firstReached } from "../books/scope-counter.ts";
import type { Admission, ScopeCount } from "../ports/ledger.ts";
import type { LimitState } from "../ports/limits.ts";
import { redisGuard, REST_MS } from "../redis/redis-guard.ts";
import { HOLD, RESERVE, type RedisScript, SEED, SETTLE } from "./counter-scripts.ts";
import { counterOf, fieldsOf, limitTexts, whole } from "./scope-fields.ts";

export type RedisCountersOptions = {
  /** `redis://…` or `rediss://…` */
  readonly url: string;
  /** In front of every key; `handrail:limits` when undefined. */
  readonly namespace?: string;
  /** What one question may take, in milliseconds; 50 when undefined. */
  readonly withinMs?: number;
  /** Takes the time from admissions and settlements and not from Redis: for tests with a clock of their own. */
  readonly callersTime?: boolean;
};

/** What Redis says of an admission. */
export type Reservation =
  | { readonly kind: "reserved"; readonly at: number }
  /** Nothing was reserved. */
  | { readonly kind: "reached"; readonly reached: LimitState }
  /** Nothing was reserved: these scopes are not counted in Redis yet. */
  | { readonly kind: "unknown"; readonly scopes: readonly string[] };

/** A call that is to be taken out of the counts, or replaced in them by what it used. */
export type Ending = {
  readonly scopes: readonly string[];
  /** When it began, by the clock of Redis where that is known, and when it ended. */
  readonly at: number;
  readonly endedAt: number;
  readonly reserved: { readonly nano: number; readonly tokens: number };
  /** Undefined: it was not let through. */
  readonly used: { readonly nano: number; readonly tokens: number } | undefined;
};

/**
 * The counts of scopes in Redis, for all replicas. Nothing here throws or waits for long: what Redis does not answer is
 * undefined, and what it is not told it does not count.
 */
export type RedisCounters = {
  /** Counts a call against all of its scopes, or against none. */
  reserve(admission: Admission): Promise<Reservation | undefined>;
  /** Counts go on from here, unless somebody else began them. */
  seed(count: ScopeCount): Promise<void>;
  /** More money is reserved for a call that is counted. */
  hold(scopes: readonly string[], nano: number): Promise<void>;
  end(ending: Ending): void;
  /** The scope is unknown from now on. */
  forget(scope: string): void;
  /** Undefined when all is well. */
  readonly trouble: () => string | undefined;
  readonly close: () => Promise<void>;
};

export function redisCounters(options: RedisCountersOptions): RedisCounters {
  const { namespace = "handrail:limits", callersTime = false } = options;
  const { run, forget, trouble, close } = connection(options);
  // The braces put all scopes into one slot of a cluster: a call counts against several in one step.
  const nameOf = (scope: string): string => `{${namespace}}:${scope}`;
  const time = (at: number): string => (callersTime ? whole(at) : "");
  return {
    async reserve(admission) {
      const { scopes, at, reserveNanoUsd, reserveTokens } = admission;
      const values = [time(at), whole(reserveNanoUsd), whole(reserveTokens), ...scopes.flatMap(limitTexts)];
      const names = scopes.map(({ id }) => nameOf(id));
      const answer = await run(RESERVE, names, values);
      return Array.isArray(answer) ? readReservation(answer, admission) : undefined;
    },
    async seed(count) {
      await run(SEED, [nameOf(count.scope)], fieldsOf(count));
    },
    async hold(scopes, nano) {
      await run(HOLD, scopes.map(nameOf), [whole(nano)]);
    },
    end({ scopes, at, endedAt, reserved, used }) {
      const amounts = [reserved.nano, reserved.tokens, used?.nano ?? 0, used?.tokens ?? 0, used ? 1 : 0];
      run(SETTLE, scopes.map(nameOf), [time(endedAt), whole(at), ...amounts.map(whole)]).catch(nothing);
    },
    forget: (scope) => void forget(nameOf(scope)).catch(nothing),
    trouble,
    close,
  };
}

/** What cannot be asked at once is not asked: it would be answered long after nobody wants to know. */
function connection({ url, withinMs = 50 }: RedisCountersOptions) {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: 10_000,
    socket: { connectTimeout: 1000, reconnectStrategy: REST_MS },
  });
  const guard = redisGuard("The count of limits", withinMs);
  client.on("error", guard.failed);
  const connected = client.connect().catch(guard.failed);
  return {
    run: ({ text, sha }: RedisScript, keys: string[], values: string[]) =>
      guard.ask(async () => {
        await connected;
        const given = { keys, arguments: values };
        // A Redis that was started or emptied does not know the script.
        return await client.evalSha(sha, given).catch((thrown: unknown) => {
          if (thrown instanceof Error && thrown.message.startsWith("NOSCRIPT")) return client.eval(text, given);
          throw thrown;
        });
      }),
    forget: (key: string) =>
      guard.ask(async () => {
        await connected;
        return await client.unlink(key);
      }),
    trouble: guard.trouble,
    close: async (): Promise<void> => {
      // How calls ended may still be on its way.
      await guard.ask(() => client.close());
      if (client.isOpen) client.destroy();
    },
  };
}

const nothing = (): void => undefined;

function readReservation(answer: readonly unknown[], admission: Admission): Reservation | undefined {
  const [kind, ...rest] = answer;
  const { scopes } = admission;
  const scopeAt = (number: unknown) => scopes[Number(number) - 1];
  if (kind === "reserved") return { kind, at: Number(rest[0]) };
  if (kind === "unknown") return { kind, scopes: rest.flatMap((number) => scopeAt(number)?.id ?? []) };
  const [at, number, ...fields] = rest;
  const scope = scopeAt(number);
  const asked = { at: Number(at), calls: 1, nano: admission.reserveNanoUsd, tokens: admission.reserveTokens };
  const reached = scope && firstReached(scope, counterOf(fields), asked);
  return reached && { kind: "reached", reached };
}
