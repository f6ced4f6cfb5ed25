import { hash } from "node:crypto";
import { AppError } from "@handrail/protocol/errors";
import type { LiteLlmRouteName } from "@handrail/protocol/litellm-routes";
import type { Books } from "../../ports/books.ts";
import type { LedgerEntry, SpendFilter, SpendGroup } from "../../ports/ledger.ts";
import { answerTokens, promptTokens } from "../../ports/token-usage.ts";
import { defined } from "../defined.ts";
import { type AdminContext, type AdminRequest, type AdminHandler, numberIn } from "./admin.ts";

/** LiteLLM's routes about what was spent. */
export const SPEND_ROUTES = {
  "GET /spend/logs": logs,
  "GET /global/spend": globalSpend,
  "GET /customer/info": customerInfo,
  "GET /end_user/info": customerInfo,
} satisfies Partial<Record<LiteLlmRouteName, AdminHandler>>;

const DAY_MS = 86_400_000;
const MAX_DAYS = 93;
const MAX_LOGS = 1000;

async function logs(context: AdminContext, request: AdminRequest): Promise<object> {
  const { query } = request;
  const filter = await filterOf(context, request);
  if (filter.from !== undefined && query.get("summarize") !== "false") return summary(context, filter);
  const page = {
    limit: numberIn(query, "limit", { or: 100, max: MAX_LOGS }),
    ...defined({ before: query.get("before") ?? undefined }),
  };
  const entries = await context.books.ledger.entries(filter, page);
  const id = query.get("request_id");
  const hashes = await hashesOf(context, entries);
  return entries.filter(({ callId }) => !id || callId === id).map((entry) => logLine(entry, hashes));
}

async function filterOf({ books }: AdminContext, { query, caller }: AdminRequest): Promise<SpendFilter> {
  const until = dayIn(query, "end_date");
  return defined({
    // An ordinary key sees its own calls, whatever it asks for.
    keyId: caller.admin ? await keyIdOf(books, query.get("api_key")) : caller.id,
    ownerId: query.get("user_id") ?? undefined,
    teamId: query.get("team_id") ?? undefined,
    from: dayIn(query, "start_date"),
    to: until === undefined ? undefined : until + DAY_MS,
  });
}

async function keyIdOf({ keys }: Books, text: string | null): Promise<string | undefined> {
  if (!text) return undefined;
  const key = await keys.find(/^[0-9a-f]{64}$/.test(text) ? text : hash("sha256", text));
  if (key === undefined) throw new AppError("key_not_found", "There is no such key.");
  return key.id;
}

function dayIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (!text) return undefined;
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text.slice(0, 10)) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw new AppError("bad_request", `\`${name}\` must be a day such as 2026-11-25.`, { field: name });
}

/** A line a day, with the day's spend by user and by model. */
async function summary({ books, now }: AdminContext, filter: SpendFilter): Promise<object> {
  const [from = 0, to = now()] = [filter.from, filter.to];
  if (to - from > MAX_DAYS * DAY_MS) throw new AppError("bad_request", `Ask for at most ${MAX_DAYS} days at once.`);
  const days = await books.ledger.spend("day", { ...filter, to });
  return Promise.all(
    days.map(async ({ group, costUsd }) => {
      const start = Date.parse(group);
      const within = { ...filter, from: start, to: start + DAY_MS };
      const sums = async (by: SpendGroup) =>
        Object.fromEntries((await books.ledger.spend(by, within)).map((row) => [row.group, row.costUsd]));
      return { startTime: group, spend: costUsd, users: await sums("user"), models: await sums("model") };
    }),
  );
}

async function hashesOf(
  { books }: AdminContext,
  entries: readonly LedgerEntry[],
): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(entries.map(({ keyId }) => keyId))];
  const keys = await Promise.all(ids.map((id) => books.keys.get(id)));
  return new Map(keys.flatMap((key) => (key ? [[key.id, key.hash] as const] : [])));
}

const CALL_TYPES = {
  chat: "acompletion",
  responses: "aresponses",
  messages: "anthropic_messages",
  embeddings: "aembedding",
} as const;

function logLine(entry: LedgerEntry, hashes: ReadonlyMap<string, string>): object {
  const [prompt, answer] = [promptTokens(entry.usage), answerTokens(entry.usage)];
  return {
    request_id: entry.callId,
    call_type: CALL_TYPES[entry.format],
    api_key: hashes.get(entry.keyId) ?? entry.keyId,
    spend: entry.costUsd,
    prompt_tokens: prompt,
    completion_tokens: answer,
    total_tokens: prompt + answer,
    startTime: new Date(entry.startedAt).toISOString(),
    endTime: new Date(entry.at).toISOString(),
    request_duration_ms: entry.latencyMs,
    ...whoAndWhere(entry),
    cache_hit: entry.outcome === "cached" ? "True" : "False",
    status: ["ok", "cached", "aborted"].includes(entry.outcome) ? "success" : "failure",
    request_tags: entry.tags ?? [],
    metadata: {
      outcome: entry.outcome,
      priced: entry.priced,
      estimated: entry.estimated,
      ...(entry.unanswered && { unanswered: entry.unanswered }),
    },
  };
}

function whoAndWhere(entry: LedgerEntry): object {
  const owner =
    entry.ownerKind === "team" ? { user: "", team_id: entry.ownerId } : { user: entry.ownerId, team_id: "" };
  return {
    ...owner,
    ...(entry.teamId !== undefined && { team_id: entry.teamId }),
    end_user: entry.endUser ?? "",
    model: entry.upstreamModel ?? entry.model,
    model_id: entry.deploymentId ?? "",
    model_group: entry.model,
    custom_llm_provider: entry.provider ?? "",
  };
}

async function globalSpend({ books }: AdminContext): Promise<object> {
  const rows = await books.ledger.spend("model", {});
  return { spend: rows.reduce((sum, { costUsd }) => sum + costUsd, 0), max_budget: null };
}

const MAX_PAGES = 100;

/** What an end user's calls cost. The books sum by key, user and team; so this reads the ledger, as far as it is kept. */
async function customerInfo({ books }: AdminContext, { query }: AdminRequest): Promise<object> {
  const id = query.get("end_user_id");
  if (!id) throw new AppError("bad_request", "Name an `end_user_id`.", { field: "end_user_id" });
  let spend = 0;
  let before: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const entries = await books.ledger.entries({}, { limit: MAX_LOGS, ...defined({ before }) });
    for (const entry of entries) if (entry.endUser === id) spend += entry.costUsd;
    if (entries.length < MAX_LOGS)
      return { user_id: id, alias: null, blocked: false, spend, litellm_budget_table: null };
    before = entries.at(-1)?.callId;
  }
  throw new AppError("request_unsupported", "The ledger is too long to be summed by end user.");
}
