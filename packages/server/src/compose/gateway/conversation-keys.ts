import { createHash, createHmac } from "node:crypto";
import type { Keys, KeyRecord } from "@handrail/gateway/ports/keys";
import type { BookLimits } from "@handrail/gateway/ports/limits";
import type { Spender } from "../../conversations/ports.ts";

export type ConversationKeysParts = {
  readonly keys: Pick<Keys, "find" | "create" | "change">;
  /** 32 bytes that stay the same. */
  readonly secret: Buffer;
};

/** Each conversation's own key for the gateway, with the conversation's limits. */
export type ConversationKeys = {
  /** Made at the first time; its limits follow the conversation's. @throws AppError `books_unavailable` */
  keyOf(spender: Spender): Promise<{ readonly key: string; readonly record: KeyRecord }>;
};

/**
 * The key itself is stored nowhere: it is an HMAC of the conversation's id, so it is the same after a restart, and whoever
 * reads the database has none.
 */
export function conversationKeys({ keys, secret }: ConversationKeysParts): ConversationKeys {
  const turns = new Map<string, Promise<{ key: string; record: KeyRecord }>>();
  const open = async (spender: Spender) => {
    const key = `sk-conversation-${createHmac("sha256", secret).update(spender.conversationId).digest("base64url")}`;
    const known = await keys.find(createHash("sha256").update(key).digest("hex"));
    const limits = limitsOf(spender);
    if (known === undefined) return { key, record: (await keys.create(newKey(spender, limits), key)).record };
    if (sameLimits(known.limits, limits)) return { key, record: known };
    return { key, record: await keys.change(known.id, { limits }) };
  };
  return {
    // Two steps at a time would make two keys.
    keyOf(spender) {
      const before = turns.get(spender.conversationId) ?? Promise.resolve();
      const mine = before.catch(() => undefined).then(() => open(spender));
      turns.set(spender.conversationId, mine);
      const done = () => {
        if (turns.get(spender.conversationId) === mine) turns.delete(spender.conversationId);
      };
      mine.finally(done).catch(() => undefined);
      return mine;
    },
  };
}

function limitsOf({ maxCostUsd }: Spender): BookLimits {
  return maxCostUsd === undefined ? {} : { budget: { usd: maxCostUsd, period: "total" } };
}

const sameLimits = (left: BookLimits, right: BookLimits) => left.budget?.usd === right.budget?.usd;

function newKey({ conversationId, ownerId, teamId }: Spender, limits: BookLimits) {
  return {
    name: "conversation",
    owner: { kind: "user" as const, id: ownerId },
    conversationId,
    limits,
    ...(teamId !== null && { teamId }),
  };
}
