import { AppError } from "@handrail/protocol/errors";
import { z } from "zod";
import { periodEnd } from "../../books/periods.ts";
import { invalidField } from "../../http/invalid-field.ts";
import type { KeyRecord, OwnerRecord } from "../../ports/keys.ts";
import type { BookLimits, BudgetPeriod } from "../../ports/limits.ts";
import { defined } from "../defined.ts";
import { daysOf } from "../general-settings.ts";

const Name = z.string().min(1).max(128);
const Count = z.number().int().nonnegative().max(10_000_000_000).nullish();

/** The fields of LiteLLM's requests that limit a key, a user or a team. */
const LimitFields = {
  max_budget: z.number().nonnegative().max(1_000_000).nullish(),
  budget_duration: z.string().max(16).nullish(),
  rpm_limit: Count,
  tpm_limit: Count,
  max_parallel_requests: Count,
  models: z.array(z.string().min(1).max(256)).max(200).nullish(),
};

export const KeyFields = z.object({
  ...LimitFields,
  key_alias: Name.nullish(),
  user_id: Name.nullish(),
  team_id: Name.nullish(),
  duration: z.string().max(16).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
});
export type KeyFields = z.infer<typeof KeyFields>;

export const OwnerFields = z.object({
  ...LimitFields,
  user_id: Name.nullish(),
  user_alias: Name.nullish(),
  user_email: Name.nullish(),
  team_id: Name.nullish(),
  team_alias: Name.nullish(),
});
export type OwnerFields = z.infer<typeof OwnerFields>;

/** Fields that would narrow what a key may do, in ways that are not served. Leaving them out of account would widen it. */
const NARROWING = [
  "allowed_routes",
  "allowed_cache_controls",
  "allowed_passthrough_routes",
  "model_max_budget",
  "model_rpm_limit",
  "model_tpm_limit",
  "guardrails",
  "permissions",
  "object_permission",
  "enforced_params",
  "budget_id",
  "project_id",
  "organization_id",
  "access_group_ids",
] as const;

/**
 * A request's body by its schema. Fields that change nothing here are let pass, as LiteLLM does.
 *
 * @throws AppError `bad_request`, `request_unsupported` for a field that would narrow a key's rights
 */
export function fieldsOf<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  for (const field of NARROWING) {
    const value = (body as Record<string, unknown> | undefined)?.[field];
    const empty = typeof value === "object" && value !== null && Object.keys(value).length === 0;
    if (value === undefined || value === null || empty) continue;
    throw new AppError("request_unsupported", `\`${field}\` is not served. Leave it out.`, { field });
  }
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  throw invalidField(parsed.error);
}

const PERIODS: Readonly<Record<string, BudgetPeriod>> = { "1": "day", "7": "week", "30": "month", "31": "month" };
const DURATIONS: Readonly<Record<BudgetPeriod, string | null>> = { day: "1d", week: "7d", month: "1mo", total: null };

/**
 * The limits after a change: what is absent stays, what is null goes.
 *
 * @throws AppError `bad_request` for a budget's duration that is none of a day, a week or a month
 */
export function limitsAfter(old: BookLimits, fields: z.infer<z.ZodObject<typeof LimitFields>>): BookLimits {
  const pick = (next: number | null | undefined, was: number | undefined) =>
    next === undefined ? was : (next ?? undefined);
  const usd = pick(fields.max_budget, old.budget?.usd);
  const period =
    fields.budget_duration === undefined ? (old.budget?.period ?? "total") : periodOf(fields.budget_duration);
  return defined({
    budget: usd === undefined ? undefined : { usd, period },
    requestsPerMinute: pick(fields.rpm_limit, old.requestsPerMinute),
    tokensPerMinute: pick(fields.tpm_limit, old.tokensPerMinute),
    parallel: pick(fields.max_parallel_requests, old.parallel),
  });
}

function periodOf(duration: string | null): BudgetPeriod {
  if (duration === null || duration === "") return "total";
  const period = PERIODS[String(validDays(duration, "budget_duration"))];
  if (period) return period;
  const message = "`budget_duration` must be 1d, 7d, 30d or 1mo: budgets begin with the day, the week or the month.";
  throw new AppError("bad_request", message, { field: "budget_duration" });
}

function validDays(duration: string, field: string): number {
  try {
    return daysOf(duration);
  } catch {
    throw new AppError("bad_request", `\`${field}\` must be a duration such as 30d.`, { field });
  }
}

/** When a key ends; undefined: never. @throws AppError `bad_request` */
export function expiryOf(duration: string | null | undefined, now: number): number | undefined {
  if (!duration || duration === "-1") return undefined;
  return Math.round(now + validDays(duration, "duration") * 86_400_000);
}

/** Models as the books keep them; LiteLLM's empty list is all of them. */
export function modelsOf(models: readonly string[] | null | undefined): readonly string[] | undefined {
  if (!models || models.length === 0) return undefined;
  return models.some((name) => name === "all-proxy-models" || name === "all-team-models") ? undefined : models;
}

/** Texts of a request's metadata. @throws AppError `bad_request` when there is more than a key can keep */
export function metadataOf(metadata: KeyFields["metadata"]): Readonly<Record<string, string>> | undefined {
  const pairs = Object.entries(metadata ?? {}).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  if (pairs.length === 0) return undefined;
  if (JSON.stringify(pairs).length > 4096) throw new AppError("bad_request", "`metadata` is larger than 4 kB.");
  return Object.fromEntries(pairs) as Record<string, string>;
}

const isoTime = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());

/** What of a key's metadata is the gateway's own. */
const HELD = "handrail_blocked";

/** Whether a key was blocked, and until when it would have been good: see the route for it. */
export function blockOf({ metadata }: KeyRecord): { readonly blocked: boolean; readonly expiresAt?: number } {
  const held = metadata?.[HELD];
  if (held === undefined) return { blocked: false };
  return held === "" ? { blocked: true } : { blocked: true, expiresAt: Number(held) };
}

/** The metadata of a key that is blocked, or that no longer is. */
export function withBlock({ metadata, expiresAt }: KeyRecord, blocked: boolean): Readonly<Record<string, string>> {
  const { [HELD]: _, ...others } = metadata ?? {};
  return blocked ? { ...others, [HELD]: expiresAt === undefined ? "" : String(expiresAt) } : others;
}

/** A key as LiteLLM shows it. The key itself is never part of it. */
export function keyInfo(key: KeyRecord, spentUsd: number, now: number): object {
  const { blocked, expiresAt } = blockOf(key);
  return {
    token: key.hash,
    token_id: key.hash,
    key_name: key.hint,
    key_alias: key.name,
    spend: spentUsd,
    expires: isoTime(blocked ? expiresAt : key.expiresAt),
    models: key.models ?? [],
    user_id: key.owner.kind === "user" ? key.owner.id : null,
    team_id: key.teamId ?? (key.owner.kind === "team" ? key.owner.id : null),
    metadata: withBlock(key, false),
    blocked: blocked || key.revokedAt !== undefined,
    created_at: isoTime(key.createdAt),
    ...limitInfo(key.limits, now),
  };
}

/** Limits as LiteLLM shows them. */
function limitInfo({ budget, requestsPerMinute, tokensPerMinute, parallel }: BookLimits, now: number): object {
  return {
    max_budget: budget?.usd ?? null,
    budget_duration: budget === undefined ? null : DURATIONS[budget.period],
    budget_reset_at: budget === undefined ? null : isoTime(periodEnd(budget.period, now)),
    rpm_limit: requestsPerMinute ?? null,
    tpm_limit: tokensPerMinute ?? null,
    max_parallel_requests: parallel ?? null,
  };
}

/** A user or team as LiteLLM shows it. */
export function ownerInfo(owner: OwnerRecord, spentUsd: number, now: number): object {
  const who =
    owner.kind === "user"
      ? { user_id: owner.id, user_alias: owner.name, user_role: "internal_user" }
      : { team_id: owner.id, team_alias: owner.name, blocked: false, members_with_roles: [] };
  return { ...who, models: owner.models ?? [], spend: spentUsd, metadata: {}, ...limitInfo(owner.limits, now) };
}
