import type { Model } from "@handrail/core/ports/model";
import { memoryBooks } from "@handrail/gateway/testing/memory-books";
import { expect, test } from "vitest";
import { conversationKeys } from "./conversation-keys.ts";
import { meteredModel } from "./metered-model.ts";

const MODEL: Model = {
  id: "m",
  contextTokens: 1000,
  maxOutputTokens: 10,
  images: false,
  scripted: false,
  price: () => 1,
  async *stream() {
    const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
    yield { type: "end" as const, finish: "stop" as const, content: [], model: "m", usage, costUsd: 1 };
  },
};

function setUp() {
  const books = memoryBooks();
  const keys = conversationKeys({ keys: books.keys, secret: Buffer.alloc(32, 1) });
  let calls = 0;
  /** One call of a conversation, at a dollar. */
  const ask = async (conversationId: string, teamId: string | null) => {
    const { record } = await keys.keyOf({ conversationId, ownerId: "ada", teamId, maxCostUsd: undefined });
    const place = { deploymentId: "d", provider: "p", upstreamModel: "m" };
    const metered = meteredModel(MODEL, { books, record, place, newCallId: () => `call_${++calls}`, now: () => 0 });
    const request = { conversationId, system: "", tools: [], messages: [], maxOutputTokens: 10 };
    return Array.fromAsync(metered.stream(request, new AbortController().signal)).then(
      () => "answered",
      (thrown: { code: string; details: object }) => [thrown.code, thrown.details],
    );
  };
  return { books, ask };
}

test("all conversations of a team spend its budget, and no other conversation does", async () => {
  const { books, ask } = setUp();
  const limits = { budget: { usd: 1, period: "total" } } as const;
  await books.keys.saveOwner({ kind: "team", id: "core", name: "", limits });
  expect(await ask("c_1", "core")).toBe("answered");
  expect(await ask("c_2", "core")).toEqual(["budget_exceeded", { limit: "budget", scope: "team:core" }]);
  expect(await ask("c_3", "web")).toBe("answered");
  expect(await ask("c_4", null)).toBe("answered");
  expect(books.entries().map(({ teamId }) => teamId)).toEqual(["core", "web", undefined]);
});
