import type { AnswerCache } from "../ports/answer-cache.ts";
import type { Books } from "../ports/books.ts";
import type { CacheScope } from "../ports/keys.ts";
import type { Catalog, RoutingSettings } from "../ports/deployment.ts";
import type { BodyStore, Redactor } from "../ports/guard.ts";
import type { GatewayObserver } from "../ports/observer.ts";
import type { PriceList } from "../ports/price-list.ts";
import type { Send } from "../ports/send.ts";
import type { Tracer } from "../ports/tracer.ts";
import type { LaneOf } from "../lanes/lane-of.ts";
import type { Places } from "./places.ts";

/** How answers are cached. */
export type CacheRules = {
  readonly answers: AnswerCache;
  /** For keys that do not say. */
  readonly scope: CacheScope;
  readonly ttlMs: number;
  /** Larger answers are not kept. */
  readonly maxBytes: number;
  /** Whether answers with tool calls are kept too. */
  readonly toolCalls: boolean;
};

/** What can be bounded. */
export type CallLimits = {
  readonly maxBodyBytes: number;
  readonly bodyTimeoutMs: number;
  /** At the same time. */
  readonly maxCalls: number;
};

/** All that calls have in common. */
export type Core = {
  readonly catalog: Catalog;
  readonly books: Books;
  readonly prices: PriceList;
  readonly routing: () => RoutingSettings;
  readonly observer: GatewayObserver;
  readonly laneOf: LaneOf;
  readonly send: Send;
  readonly places: Places;
  readonly limits: CallLimits;
  readonly now: () => number;
  readonly cache?: CacheRules;
  readonly redactor?: Redactor;
  readonly bodies?: BodyStore;
  readonly tracer?: Tracer;
};
