import type { Model, ModelRequest } from "@handrail/core/ports/model";
import { memoryBooks } from "@handrail/gateway/testing/memory-books";
import { AppError } from "@handrail/protocol/errors";
import { expect, test } from "vitest";
import { meteredModel } from "./metered-model.ts";

const REQUEST: ModelRequest = { conversationId: "c", system: "s", tools: [], messages: [], maxOutputTokens: 10 };

/** Asks a model that fails in that way before its first word, and gives what the books say of it. */
async function booked(failure: unknown, signal = new AbortController().signal) {
  const books = memoryBooks();
  const { record } = await books.keys.create({ name: "c", owner: { kind: "user", id: "ann" }, limits: {} });
  const model: Model = {
    id: "m",
    contextTokens: 1000,
    maxOutputTokens: 10,
    images: false,
    scripted: false,
    price: ({ inputTokens, outputTokens }) => (inputTokens + outputTokens) / 1e6,
    stream: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(failure) }) }),
  };
  const place = { deploymentId: "d", provider: "google", upstreamModel: "m" };
  const metered = meteredModel(model, { books, record, place, newCallId: () => "call_1", now: () => 0 });
  await expect(Array.fromAsync(metered.stream(REQUEST, signal))).rejects.toBe(failure);
  return books.entries();
}

const input = Math.ceil(JSON.stringify(["s", [], []]).length / 3);

test("a call that its provider may bill counts with its input, one that was refused costs nothing", async () => {
  const counted = { outcome: "failed", usage: { inputTokens: input }, costUsd: input / 1e6, estimated: true };
  expect(await booked(new AppError("model_timeout", "late"))).toMatchObject([counted]);
  expect(await booked(new AppError("model_overloaded", "no"))).toMatchObject([{ outcome: "failed", costUsd: 0 }]);
});

test("a call whose conversation was stopped before the first word counts with its input", async () => {
  const stopped = AbortSignal.abort(new Error("stopped"));
  expect(await booked(stopped.reason, stopped)).toMatchObject([{ outcome: "aborted", costUsd: input / 1e6 }]);
});
