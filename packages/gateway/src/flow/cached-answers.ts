import { createHash } from "node:crypto";
import { parseJson } from "@handrail/models/json";
import type { CachedAnswer } from "../ports/answer-cache.ts";
import type { CacheScope, KeyRecord } from "../ports/keys.ts";
import type { Group } from "../ports/deployment.ts";
import { NO_TOKENS, type TokenUsage } from "../ports/token-usage.ts";
import type { Asked } from "../request/asked.ts";
import { editBody } from "../request/edit-body.ts";
import type { CacheRules } from "./core.ts";

/** Where a call's answer is kept, and for how long. */
export type CacheSlot = {
  readonly key: string;
  readonly ttlMs: number;
  readonly rules: CacheRules;
};

/** The slot of a call; undefined where its answers are not cached. */
export function cacheSlot(
  rules: CacheRules | undefined,
  asked: Asked,
  key: KeyRecord,
  group: Group,
): CacheSlot | undefined {
  if (rules === undefined || (!asked.cache.read && !asked.cache.write)) return undefined;
  // An agent that asks again wants another answer.
  const usual = key.conversationId === undefined ? rules.scope : "off";
  const scope = scopeOf(key.cache ?? usual, key);
  if (scope === undefined) return undefined;
  return { key: `${scope}:${contentHash(asked, group)}`, ttlMs: asked.cache.ttlMs ?? rules.ttlMs, rules };
}

/** Answers are never shared by accident: whoever sees them is part of the key. */
function scopeOf(scope: CacheScope, { id, teamId, owner }: KeyRecord): string | undefined {
  if (scope === "off") return undefined;
  if (scope === "all") return "all";
  const team = teamId ?? (owner.kind === "team" ? owner.id : undefined);
  return scope === "team" && team !== undefined ? `team:${team}` : `key:${id}`;
}

/** What a client says of the cache itself makes no other answer. */
const OF_THE_CACHE: ReadonlySet<string> = new Set(["cache"]);

function contentHash({ format, body, parsed, headers, cache }: Asked, group: Group): string {
  const content = "cache" in parsed ? editBody(body, { set: {}, drop: OF_THE_CACHE }) : body;
  const places = group.deployments.map(({ id, model }) => [id, model]);
  const facts = [format, group.name, places, Object.entries(headers), cache.namespace ?? ""];
  return createHash("sha256").update(JSON.stringify(facts)).update("\n").update(content).digest("hex");
}

/** A cached answer that is good enough for the client. */
export async function cachedAnswer(slot: CacheSlot, asked: Asked, now: number): Promise<CachedAnswer | undefined> {
  if (!asked.cache.read) return undefined;
  const answer = await slot.rules.answers.get(slot.key);
  if (answer === undefined) return undefined;
  const { maxAgeMs } = asked.cache;
  return maxAgeMs !== undefined && now - answer.storedAt > maxAgeMs ? undefined : answer;
}

export type Kept = Omit<CachedAnswer, "usage"> & { readonly usage: TokenUsage };

/** Keeps a whole and good answer, unless it calls tools. Does not wait for the cache. */
export function keepAnswer({ key, ttlMs, rules }: CacheSlot, asked: Asked, kept: Kept): void {
  if (!asked.cache.write || ttlMs <= 0 || kept.body.length > rules.maxBytes) return;
  if (!rules.toolCalls && callsTools(kept.body)) return;
  const answer = { ...kept, usage: JSON.stringify(kept.usage) };
  rules.answers.set(key, answer, ttlMs).catch(() => undefined);
}

const CALLS =
  /"tool_calls"\s*:\s*\[\s*\{|"function_call"\s*:\s*\{|"type"\s*:\s*"(?:tool_use|server_tool_use|mcp_tool_use|\w+_call)"/;

const callsTools = (body: Uint8Array) => CALLS.test(Buffer.from(body).toString("latin1"));

/** What a cached answer had used. */
export function usageIn({ usage }: CachedAnswer): TokenUsage {
  const parsed = parseJson(usage);
  return typeof parsed === "object" && parsed !== null ? { ...NO_TOKENS, ...parsed } : NO_TOKENS;
}
