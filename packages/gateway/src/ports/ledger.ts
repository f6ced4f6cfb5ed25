import type { Format } from "./format.ts";
import type { OwnerKind } from "./keys.ts";
import type { LimitState, LimitedScope } from "./limits.ts";
import type { NanoUsd } from "./money.ts";
import type { TokenUsage } from "./token-usage.ts";

/** What a call is before it is let through. */
export type Admission = {
  /** Unique; the ledger's key. */
  readonly callId: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly scopes: readonly LimitedScope[];
  /** The most that the call can cost and use. */
  readonly reserveNanoUsd: NanoUsd;
  readonly reserveTokens: number;
  /** What the ledger says of the call when its outcome is never learnt. */
  readonly entry: LedgerStart;
};

/** More that a call under way may cost than was thought when it was let through. */
export type TopUp = {
  readonly callId: string;
  /** Unix milliseconds. */
  readonly at: number;
  /** Those of its admission. */
  readonly scopes: readonly LimitedScope[];
  readonly moreNanoUsd: NanoUsd;
};

export type Verdict =
  | { readonly admitted: true; readonly limits: readonly LimitState[] }
  | { readonly admitted: false; readonly reached: LimitState };

/**
 * All that is counted of a scope, whatever limits it has. Periods are named by their beginnings; of `requests` and `tokens`
 * what was added in which second of the last minute. Unix milliseconds.
 */
export type ScopeCount = {
  readonly scope: string;
  readonly inFlight: number;
  readonly reservedNano: NanoUsd;
  readonly spent: {
    readonly day: number;
    readonly day_nano: NanoUsd;
    readonly week: number;
    readonly week_nano: NanoUsd;
    readonly month: number;
    readonly month_nano: NanoUsd;
    readonly total_nano: NanoUsd;
  };
  readonly requests: readonly (readonly [at: number, amount: number])[];
  readonly tokens: readonly (readonly [at: number, amount: number])[];
};

/** What is known of a call when it begins. */
export type LedgerStart = {
  readonly keyId: string;
  readonly ownerKind: OwnerKind;
  readonly ownerId: string;
  readonly teamId?: string;
  readonly conversationId?: string;
  /** As the client asked for it. */
  readonly model: string;
  readonly format: Format;
  readonly streamed: boolean;
  /** From the client: `user` and tags of the request, shortened. */
  readonly endUser?: string;
  readonly tags?: readonly string[];
};

/** `lost`: the process ended before the outcome was known; the reservation stands as the cost. */
export type Outcome = "ok" | "failed" | "aborted" | "broken" | "cached" | "lost";

/** Tries that a provider was sent and may bill, and that nobody learnt the end of. Each counts as a count of its input. */
export type Unanswered = {
  readonly tries: number;
  readonly inputTokens: number;
  readonly costUsd: number;
  /** False where the price of one is not known. */
  readonly priced: boolean;
};

/** How a call ended. */
export type Settlement = {
  readonly callId: string;
  readonly at: number;
  readonly outcome: Outcome;
  readonly usage: TokenUsage;
  /** US dollars as a double, as the provider or the price list says; what budgets count is this, rounded up to 10⁻⁹. */
  readonly costUsd: number;
  /** What it would have cost without the cache. */
  readonly savedUsd: number;
  /** True where the provider did not report all usage, and some was counted from text. */
  readonly estimated: boolean;
  /** The call counted as lost, at this cost and from this time, before its end was learnt. */
  readonly lost?: { readonly costUsd: number; readonly at: number };
  /** What of `usage` and `costUsd` is for tries before the last. */
  readonly unanswered?: Unanswered;
  /** False where no price is known: `costUsd` is then 0 and says nothing. */
  readonly priced: boolean;
  readonly deploymentId?: string;
  readonly provider?: string;
  readonly upstreamModel?: string;
  /** The provider's own id of the call, or that of a LiteLLM behind. */
  readonly upstreamCallId?: string;
  readonly status: number;
  readonly errorCode?: string;
  readonly latencyMs: number;
  readonly firstByteMs?: number;
  readonly retries: number;
  readonly fallbacks: number;
};

/** A line of the spend ledger. */
export type LedgerEntry = LedgerStart & Settlement & { readonly startedAt: number };

export type SpendGroup = "day" | "model" | "key" | "user" | "team" | "conversation";

/**
 * Which calls count, by when they began. Undefined fields do not narrow. `from` is included, `to` is not. Unix milliseconds.
 * A team's calls are those of its own keys and of its users' keys for it.
 */
export type SpendFilter = {
  readonly from?: number;
  readonly to?: number;
  readonly keyId?: string;
  readonly ownerId?: string;
  readonly teamId?: string;
  readonly conversationId?: string;
  readonly model?: string;
};

/**
 * Sums of the calls that share the group's value; `group` is that value, a day as `2026-11-25`, empty for the calls that
 * have none.
 */
export type SpendRow = {
  readonly group: string;
  readonly calls: number;
  readonly failed: number;
  readonly cached: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly cacheReadTokens: number;
  readonly costUsd: number;
  readonly savedUsd: number;
  /** Calls whose price is not known. */
  readonly unpriced: number;
};

/**
 * Lets calls through and counts them. An admission and its reservation are one atomic step, at any concurrency and on any
 * number of replicas: what is admitted never passes a budget.
 *
 * @throws AppError `books_unavailable` when the store does not answer in time; nothing is let through then
 */
export type Ledger = {
  admit(admission: Admission): Promise<Verdict>;
  /**
   * Reserves more money for a call that is under way, in all of its scopes or in none; other limits are not looked at. Gives the budget
   * that has no room for it; undefined when it is reserved. Neither another one nor the settlement of the call may come before the answer.
   * @throws AppError `bad_request` when no such call is under way
   */
  topUp(more: TopUp): Promise<LimitState | undefined>;
  /** Replaces the reservation by what was used. A second settlement of a call changes nothing. Never throws: what cannot be
   * written now is kept and written later. */
  settle(settlement: Settlement): void;
  /**
   * Settles reservations of processes that ended: they become `lost`, at what was reserved. Gives how many since the last
   * time. Books of one process do so when they are opened, too. Where the process was only out of contact and settles the call
   * later, that counts instead.
   */
  reconcile(): Promise<number>;
  /** Waits until everything settled so far is written. */
  flush(): Promise<void>;
  /** Where the scopes' limits stand now. */
  states(scopes: readonly LimitedScope[]): Promise<readonly LimitState[]>;
  /** What is counted of these scopes, in their order: for who counts them elsewhere, too. */
  counts(scopes: readonly string[]): Promise<readonly ScopeCount[]>;
  /** Over whole days, in UTC: all of those that the filter touches. Days in order, other groups by cost, the dearest first. */
  spend(by: SpendGroup, filter: SpendFilter): Promise<readonly SpendRow[]>;
  /** Those that began last come first, at most `limit`; `before` is a `callId` that came with an earlier page. */
  entries(
    filter: SpendFilter,
    page: { readonly limit: number; readonly before?: string },
  ): Promise<readonly LedgerEntry[]>;
  /** Removes entries older than that; the daily sums stay. Gives how many. */
  prune(olderThan: number): Promise<number>;
};
