import { z } from "zod";
import { OwnerId } from "./ids.ts";
import { MODEL_PROVIDERS } from "./model-names.ts";

/** Who makes or serves a model. `openai_compatible` is any other server that speaks Chat Completions. */
export const ModelProvider = z.enum(MODEL_PROVIDERS);
export type ModelProvider = z.infer<typeof ModelProvider>;

const UsdPerMillion = z.number().nonnegative().max(1_000_000);

/** US dollars for a million tokens; what is absent is taken from the price list. */
export const PriceOverrides = z.strictObject({
  inputUsdPerMillion: UsdPerMillion.optional(),
  outputUsdPerMillion: UsdPerMillion.optional(),
  cacheReadUsdPerMillion: UsdPerMillion.optional(),
  cacheWriteUsdPerMillion: UsdPerMillion.optional(),
});

const Count = z.number().int().positive().max(10_000_000_000);

/**
 * A place where a model can be had, as the user sets it. Several with one `name` share its load. An absent `apiKey` keeps
 * the stored one.
 */
export const DeploymentInput = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[^\s*]*\*?$/, "must be a name without blanks; it may end in *"),
  provider: ModelProvider,
  model: z.string().min(1).max(256),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .optional(),
  apiKey: z.string().min(1).max(8192).optional(),
  apiVersion: z.string().max(64).optional(),
  region: z.string().max(64).optional(),
  project: z.string().max(256).optional(),
  weight: z.number().positive().max(1000).optional(),
  requestsPerMinute: Count.optional(),
  tokensPerMinute: Count.optional(),
  contextTokens: Count.optional(),
  maxOutputTokens: Count.optional(),
  prices: PriceOverrides.optional(),
});
export type DeploymentInput = z.infer<typeof DeploymentInput>;

/** How calls at a place have gone since the server started. `resting`: it failed too often and gets none for a while. */
export const DeploymentHealth = z.object({
  state: z.enum(["unused", "ok", "failing", "resting"]),
  calls: z.number(),
  failures: z.number(),
  /** Median of the last calls, in milliseconds; null before the first. */
  p50Ms: z.number().nullable(),
  /** One sentence, with secrets masked. */
  lastError: z.string().optional(),
  /** Unix milliseconds. */
  restsUntil: z.number().optional(),
});
export type DeploymentHealth = z.infer<typeof DeploymentHealth>;

/**
 * A place as lists show it, without the bounds of the input: configuration files and settings may hold what a form would
 * refuse. `source` says who defined it; only those of the page can be changed there.
 */
export const DeploymentInfo = z.object({
  id: z.string(),
  name: z.string(),
  provider: ModelProvider,
  model: z.string(),
  baseUrl: z.string().optional(),
  apiVersion: z.string().optional(),
  region: z.string().optional(),
  project: z.string().optional(),
  weight: z.number().optional(),
  requestsPerMinute: z.number().optional(),
  tokensPerMinute: z.number().optional(),
  contextTokens: z.number().optional(),
  maxOutputTokens: z.number().optional(),
  prices: z
    .object({
      inputUsdPerMillion: z.number().optional(),
      outputUsdPerMillion: z.number().optional(),
      cacheReadUsdPerMillion: z.number().optional(),
      cacheWriteUsdPerMillion: z.number().optional(),
    })
    .optional(),
  hasKey: z.boolean(),
  source: z.enum(["page", "setting", "configuration", "demo"]),
  /** False: what calls cost is not known, and budgets do not see it. */
  priced: z.boolean(),
  health: DeploymentHealth,
});
export type DeploymentInfo = z.infer<typeof DeploymentInfo>;

/** `total` never starts again; the others begin at midnight UTC, weeks on Mondays. */
export const BudgetPeriod = z.enum(["day", "week", "month", "total"]);
export type BudgetPeriod = z.infer<typeof BudgetPeriod>;

/** What a key, a user or a team may use; what is absent is not limited. */
export const KeyLimits = z.strictObject({
  budget: z.strictObject({ usd: z.number().positive().max(1_000_000), period: BudgetPeriod }).optional(),
  requestsPerMinute: Count.optional(),
  tokensPerMinute: Count.optional(),
  parallel: Count.optional(),
});
export type KeyLimits = z.infer<typeof KeyLimits>;

/** Limits as lists show them, without the bounds of the input: LiteLLM's routes and keys know others. */
const LimitsShown = z.object({
  budget: z.object({ usd: z.number(), period: BudgetPeriod }).optional(),
  requestsPerMinute: z.number().optional(),
  tokensPerMinute: z.number().optional(),
  parallel: z.number().optional(),
});

/** Who shares cached answers: nobody, those with the same key, the team, or all. */
export const CacheScope = z.enum(["off", "key", "team", "all"]);

/** In Unix milliseconds: what is later has no date of four digits. */
const LATEST = Date.UTC(9999, 11, 31);
const OwnerKind = z.enum(["user", "team"]);
export const GatewayOwner = z.strictObject({ kind: OwnerKind, id: OwnerId });
/** As lists show it. */
const OwnerShown = z.object({ kind: OwnerKind, id: z.string() });

/** A virtual key as it is asked for. Without an `owner` it is the signed-in user's. Times are Unix milliseconds. */
const KeyModels = z.array(z.string().min(1).max(256)).max(200);
const KeyEnd = z.number().int().positive().max(LATEST);

export const KeyInput = z.strictObject({
  name: z.string().trim().min(1).max(128),
  owner: GatewayOwner.optional(),
  teamId: OwnerId.optional(),
  /** Names, which may end in `*`; all when absent. */
  models: KeyModels.optional(),
  limits: KeyLimits,
  expiresAt: KeyEnd.optional(),
  cache: CacheScope.optional(),
  admin: z.boolean().optional(),
});
export type KeyInput = z.infer<typeof KeyInput>;

/** What is absent stays as it is; `null` takes it away. */
export const KeyChange = KeyInput.omit({ owner: true, admin: true }).partial().extend({
  teamId: OwnerId.nullable().optional(),
  models: KeyModels.nullable().optional(),
  expiresAt: KeyEnd.nullable().optional(),
});
export type KeyChange = z.infer<typeof KeyChange>;

/**
 * Who may use a LiteLLM: `export` is JSON with its `keys`, `users`, `teams` and `budgets`, `database` the address of its
 * PostgreSQL, which is only read.
 */
export const KeyImport = z.union([
  z.strictObject({ export: z.string().min(1).max(30_000_000) }),
  z.strictObject({
    database: z
      .string()
      .max(4096)
      .regex(/^postgres(?:ql)?:\/\//),
  }),
]);
export type KeyImport = z.infer<typeof KeyImport>;

/** `known`: keys that were there already. `left` says of each row that was not taken over which it is and why. */
export const KeyImported = z.object({
  keys: z.number(),
  known: z.number(),
  users: z.number(),
  teams: z.number(),
  left: z.array(z.string()),
});
export type KeyImported = z.infer<typeof KeyImported>;

/** Where a limit stands; money in US dollars. `resetAt` is null where nothing comes back by itself. */
export const LimitStanding = z.object({
  kind: z.enum(["budget", "requests", "tokens", "parallel"]),
  limit: z.number(),
  remaining: z.number(),
  resetAt: z.number().nullable(),
});
export type LimitStanding = z.infer<typeof LimitStanding>;

/** A key as lists show it, never the key itself. `hint` is its beginning and end. */
export const KeyInfo = z.object({
  id: z.string(),
  hint: z.string(),
  name: z.string(),
  owner: OwnerShown,
  teamId: z.string().optional(),
  models: z.array(z.string()).optional(),
  limits: LimitsShown,
  standings: z.array(LimitStanding),
  spentUsd: z.number(),
  createdAt: z.number(),
  expiresAt: z.number().optional(),
  revokedAt: z.number().optional(),
  cache: CacheScope,
  admin: z.boolean(),
});
export type KeyInfo = z.infer<typeof KeyInfo>;

/** A user or a team with its limits. */
export const OwnerInfo = OwnerShown.extend({
  name: z.string(),
  limits: LimitsShown,
  standings: z.array(LimitStanding),
  spentUsd: z.number(),
});
export type OwnerInfo = z.infer<typeof OwnerInfo>;

export const SpendGroup = z.enum(["day", "model", "key", "user", "team", "conversation"]);
export type SpendGroup = z.infer<typeof SpendGroup>;

const Moment = z.coerce.number().int().nonnegative().max(LATEST).optional();
const Text = z.string().min(1).max(256).optional();

/** Which calls count. `from` is included, `to` is not; Unix milliseconds. Whole days (UTC) are the finest that sums know. */
export const SpendFilter = z.strictObject({
  from: Moment,
  to: Moment,
  keyId: Text,
  ownerId: Text,
  teamId: Text,
  conversationId: Text,
  model: Text,
});
export type SpendFilter = z.infer<typeof SpendFilter>;

/** Sums of the calls that share a group; `group` is a day such as 2026-11-25, a model's name or an id, `label` its name. */
export const SpendRow = z.object({
  group: z.string(),
  label: z.string(),
  calls: z.number(),
  failed: z.number(),
  cached: z.number(),
  promptTokens: z.number(),
  answerTokens: z.number(),
  cacheReadTokens: z.number(),
  costUsd: z.number(),
  savedUsd: z.number(),
  /** Calls whose price is not known: their cost is not in the sum. */
  unpriced: z.number(),
});
export type SpendRow = z.infer<typeof SpendRow>;

/** One call in the ledger. */
export const GatewayCall = z.object({
  callId: z.string(),
  at: z.number(),
  model: z.string(),
  provider: z.string().optional(),
  upstreamModel: z.string().optional(),
  keyId: z.string(),
  keyName: z.string(),
  conversationId: z.string().optional(),
  outcome: z.enum(["ok", "failed", "aborted", "broken", "cached", "lost"]),
  errorCode: z.string().optional(),
  status: z.number(),
  promptTokens: z.number(),
  answerTokens: z.number(),
  costUsd: z.number(),
  priced: z.boolean(),
  estimated: z.boolean(),
  latencyMs: z.number(),
  firstByteMs: z.number().optional(),
});
export type GatewayCall = z.infer<typeof GatewayCall>;
