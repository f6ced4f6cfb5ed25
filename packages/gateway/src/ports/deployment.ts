import type { ModelProvider } from "@handrail/protocol/gateway";
import { MODEL_PROVIDERS } from "@handrail/protocol/model-names";
import type { Format } from "./format.ts";

/** Who makes or serves a model. */
export const PROVIDERS = MODEL_PROVIDERS;
export type Provider = ModelProvider;

/** US dollars for a million tokens. What is not set is taken from the price list. */
export type PriceOverrides = {
  readonly inputUsdPerMillion?: number;
  readonly outputUsdPerMillion?: number;
  readonly cacheReadUsdPerMillion?: number;
  readonly cacheWriteUsdPerMillion?: number;
  readonly cacheWriteHourUsdPerMillion?: number;
  readonly reasoningUsdPerMillion?: number;
  readonly inputAudioUsdPerMillion?: number;
  readonly outputAudioUsdPerMillion?: number;
};

/** One place where a model can be had. Several with one `name` share its load. */
export type Deployment = {
  /** Stays the same while the place does; names it in metrics, the ledger and health. */
  readonly id: string;
  /** What clients ask for. May end in `*` or be `*`, for every model of a provider. */
  readonly name: string;
  readonly provider: Provider;
  /** What the provider calls it. A `*` in it is what the `*` in `name` stood for. */
  readonly model: string;
  /** Without a format's path; undefined for the provider's own address. */
  readonly baseUrl?: string;
  /** Bedrock: `accessKeyId:secretAccessKey[:sessionToken]` or a bearer key. Vertex: the JSON of a service account. */
  readonly apiKey?: string;
  /** Azure's. */
  readonly apiVersion?: string;
  /** Bedrock's and Vertex'. */
  readonly region?: string;
  /** Vertex'. */
  readonly project?: string;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Formats that the place speaks; undefined for what its provider usually does. */
  readonly formats?: readonly Format[];
  /** Share of the load among those of one name; 1 when undefined. */
  readonly weight?: number;
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  /** From the request to the end of the answer; 600 s when undefined. */
  readonly timeoutMs?: number;
  /** From the request to the first byte of a stream, and between its bytes; 120 s when undefined. */
  readonly streamTimeoutMs?: number;
  readonly maxRetries?: number;
  readonly prices?: PriceOverrides;
  /** The model whose listed prices count, where `model` is only a local name for it. */
  readonly priceModel?: string;
  /** Input and output together, in tokens. */
  readonly contextTokens?: number;
  readonly maxOutputTokens?: number;
  readonly mode?: "chat" | "embedding";
};

/** How one of several deployments with a name is chosen. */
export type Strategy = "weighted" | "least-busy" | "lowest-latency" | "cheapest";

/** A name that clients ask for, with all that answers to it. */
export type Group = {
  readonly name: string;
  readonly deployments: readonly Deployment[];
  readonly strategy: Strategy;
  /** Names to try, in order, when every deployment has failed. */
  readonly fallbacks: readonly string[];
  /** The same, when the prompt is too long for the model. */
  readonly contextFallbacks: readonly string[];
  /** The same, when a content filter refused. */
  readonly contentFallbacks: readonly string[];
};

/** What can be asked for. Changes show at the next call. */
export type Catalog = {
  /** By its name, an alias, or a wildcard that matches; undefined when nothing does. */
  find(name: string): Group | undefined;
  /** In the order of their definition, wildcards included. */
  list(): readonly Group[];
};

/** How often, and after what, a call is tried again. */
export type RoutingSettings = {
  /** Further tries within a group, after the first. */
  readonly retries: number;
  /** Before the first retry; doubles with each, with jitter, up to 10 s. `retry-after` of the provider wins up to 60 s. */
  readonly backoffMs: number;
  /** Failures within a minute after which a deployment rests. */
  readonly allowedFailures: number;
  /** How long it rests. */
  readonly cooldownMs: number;
};

export const DEFAULT_ROUTING: RoutingSettings = {
  retries: 2,
  backoffMs: 250,
  allowedFailures: 3,
  cooldownMs: 30_000,
};
