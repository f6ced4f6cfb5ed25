import type { ModelOutput } from "@handrail/core/ports/model";
import { toAppError } from "@handrail/protocol/errors";
import { assert, asyncProperty, integer, uniqueArray } from "fast-check";
import { expect, test } from "vitest";
import { endOf, fixture, outputsOf, servedModel } from "./testing/fixture-model.ts";
import { STREAM_CASES, type StreamCase } from "./testing/stream-cases.ts";

const USAGE = ["inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "reasoningTokens"];
/** The Google SDK makes up ids of its own. */
const sameIds = (outputs: readonly ModelOutput[]): unknown =>
  JSON.parse(JSON.stringify(outputs).replace(/("providerId":")(?!call_|toolu_|function-)[^"]+/g, "$1ID"));

const settingOf = ({ dialect, model }: StreamCase) => ({ dialect, model });

/** With what would be looked up in the price list at each call: for tests of thousands of calls that are not about it. */
const plainSettingOf = (stream: StreamCase) => ({
  ...settingOf(stream),
  contextTokens: 200_000,
  inputUsdPerMillion: 1,
  outputUsdPerMillion: 1,
});

test.each(STREAM_CASES)("$fixture ends with everything that was said, byte for byte", async (stream) => {
  const end = await endOf(servedModel(settingOf(stream), [fixture(stream.fixture)]));
  const { usage, ...rest } = stream.end;
  const counts = Object.fromEntries(USAGE.map((name, index) => [name, usage[index]]));
  expect(sameIds([end!])).toEqual([{ type: "end", ...rest, usage: counts, costUsd: expect.any(Number) as number }]);
});

test.each(STREAM_CASES)("$fixture is the same however its bytes are cut in two", async (stream) => {
  const bytes = fixture(stream.fixture);
  const whole = sameIds(await outputsOf(servedModel(plainSettingOf(stream), [bytes])));
  for (let at = 1; at < bytes.length; at += 1) {
    const chunks = [bytes.subarray(0, at), bytes.subarray(at)];
    expect(sameIds(await outputsOf(servedModel(plainSettingOf(stream), chunks)))).toEqual(whole);
  }
});

test.each(STREAM_CASES)("$fixture is the same however its bytes are cut in many", async (stream) => {
  const bytes = fixture(stream.fixture);
  const whole = sameIds(await outputsOf(servedModel(plainSettingOf(stream), [bytes])));
  const cuts = uniqueArray(integer({ min: 0, max: bytes.length }), { maxLength: 60 });
  await assert(
    asyncProperty(cuts, async (at) => {
      const ends = [...at.sort((a, b) => a - b), bytes.length];
      const chunks = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
      expect(sameIds(await outputsOf(servedModel(plainSettingOf(stream), chunks)))).toEqual(whole);
    }),
    { numRuns: 30 },
  );
});

test.each(STREAM_CASES)("$fixture that stops at any byte has no end, or the right one", async (stream) => {
  const bytes = fixture(stream.fixture);
  const seen = new Set<string>();
  for (let at = 0; at < bytes.length; at += 1) {
    const model = servedModel(plainSettingOf(stream), [bytes.subarray(0, at)]);
    const end = await endOf(model).catch((thrown: unknown) => toAppError(thrown).code);
    seen.add(typeof end === "string" ? end : JSON.stringify((sameIds([end!]) as [{ content: unknown }])[0].content));
  }
  const broken = "model_stream_broken";
  expect([...seen].filter((result) => result !== broken && result !== JSON.stringify(stream.end.content))).toEqual([]);
  expect(seen).toContain(broken);
});

test("calls without ids or indexes are told apart, and get ids", async () => {
  const end = await endOf(servedModel({ dialect: "openai", model: "qwen3:8b" }, [fixture("ollama-tools")]));
  expect(end).toMatchObject({
    finish: "calls",
    content: [
      {
        type: "call",
        providerId: expect.stringMatching(/^call_\w{8}$/) as string,
        tool: "read",
        arguments: '{"path":"a"}',
      },
      { type: "call", providerId: "call_z", tool: "read", arguments: '{"path":"b"}' },
    ],
    costUsd: undefined,
  });
});

test("an API that reports no usage gets an estimate, so that limits hold", async () => {
  const end = await endOf(servedModel({ dialect: "openai", model: "qwen3:8b" }, [fixture("ollama-tools")]));
  expect(end?.type === "end" && end.usage.inputTokens).toBeGreaterThan(10);
});

test.each([
  ["openai-error", "openai", "The model's API broke off: The server had an error while processing your request"],
  ["anthropic-overloaded", "anthropic", "The model's API broke off: Overloaded"],
] as const)("the error event of %s is an overload that may be tried again", async (name, dialect, message) => {
  const model = servedModel({ dialect, model: "m" }, [fixture(name)]);
  await expect(outputsOf(model)).rejects.toMatchObject({ code: "model_overloaded", message });
});

test("fragments add up to the whole, and each call begins with its name and id", async () => {
  const outputs = await outputsOf(
    servedModel({ dialect: "anthropic", model: "claude-sonnet-4-5" }, [fixture("anthropic-thinking-tools")]),
  );
  expect(outputs.slice(0, -1)).toEqual([
    { type: "reasoning", delta: "I should " },
    { type: "reasoning", delta: "look." },
    { type: "text", delta: "Looking." },
    { type: "call", index: 0, tool: "read", providerId: "toolu_01A", delta: "" },
    { type: "call", index: 0, delta: '{"path": "ä' },
    { type: "call", index: 0, delta: '.txt"}' },
    { type: "call", index: 1, tool: "tasks", providerId: "toolu_01B", delta: "" },
  ]);
});
