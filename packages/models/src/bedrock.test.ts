import { expect, test } from "vitest";
import { frame } from "./testing/event-stream-frame.ts";
import { endOf, servedModel } from "./testing/fixture-model.ts";

const SETTING = {
  dialect: "bedrock",
  model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
  baseUrl: "https://bedrock-runtime.eu-west-1.amazonaws.com",
} as const;
const HEADERS = { "content-type": "application/vnd.amazon.eventstream" };

const STREAM = [
  frame("messageStart", { role: "assistant" }),
  frame("contentBlockDelta", { contentBlockIndex: 0, delta: { reasoningContent: { text: "Think." } } }),
  frame("contentBlockDelta", { contentBlockIndex: 0, delta: { reasoningContent: { signature: "sig" } } }),
  frame("contentBlockStop", { contentBlockIndex: 0 }),
  frame("contentBlockStart", { contentBlockIndex: 1, start: { toolUse: { toolUseId: "tooluse_1", name: "read" } } }),
  frame("contentBlockDelta", { contentBlockIndex: 1, delta: { toolUse: { input: '{"path": ' } } }),
  frame("contentBlockDelta", { contentBlockIndex: 1, delta: { toolUse: { input: '"a"}' } } }),
  frame("contentBlockStop", { contentBlockIndex: 1 }),
  frame("messageStop", { stopReason: "tool_use" }),
  frame("metadata", { usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 }, metrics: { latencyMs: 1 } }),
];

test("a Bedrock stream gives reasoning with its signature, calls with their own text, and a price", async () => {
  const end = await endOf(servedModel(SETTING, STREAM, { headers: HEADERS }));
  expect(end).toMatchObject({
    finish: "calls",
    content: [
      { type: "reasoning", text: "Think.", provider: { dialect: "bedrock", data: { bedrock: { signature: "sig" } } } },
      { type: "call", providerId: "tooluse_1", tool: "read", arguments: '{"path": "a"}' },
    ],
    usage: { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
    costUsd: expect.any(Number) as number,
  });
});

test("a Bedrock stream that is cut has no end", async () => {
  for (let length = 0; length < 8; length += 1) {
    const model = servedModel(SETTING, STREAM.slice(0, length), { headers: HEADERS });
    await expect(endOf(model)).rejects.toMatchObject({ code: "model_stream_broken" });
  }
});

test("what an SDK's provider throws has the code of its status", async () => {
  const body = [Buffer.from('{"message":"The security token is invalid: sk-test-secret-1234"}')];
  const served = { status: 403, headers: { "content-type": "application/json" } };
  await expect(endOf(servedModel(SETTING, body, served))).rejects.toMatchObject({
    code: "model_unauthorized",
    message: expect.stringMatching(/security token is invalid: \*\*\*$/) as string,
  });
});
