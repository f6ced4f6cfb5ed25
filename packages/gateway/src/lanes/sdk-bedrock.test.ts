import { afterEach, expect, test } from "vitest";
import type { LaneAnswer } from "../ports/lane.ts";
import type { ChatFormat } from "../ports/format.ts";
import { sdkLoader } from "../sdk/sources.ts";
import { bedrockServer, EVENT_STREAM, frames } from "../testing/bedrock-server.ts";
import { bodyOf, laneCall } from "../testing/lane-calls.ts";
import { FORMATS, history, QUESTION, read, TOOLS } from "../testing/questions.ts";
import { sdkLane } from "./sdk.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

const lane = sdkLane({ load: sdkLoader(), now: () => 1000 });

const BEDROCK = frames(
  ["messageStart", { role: "assistant" }],
  ["contentBlockDelta", { contentBlockIndex: 0, delta: { reasoningContent: { text: "Think." } } }],
  ["contentBlockDelta", { contentBlockIndex: 0, delta: { reasoningContent: { signature: "sig" } } }],
  ["contentBlockStop", { contentBlockIndex: 0 }],
  ["contentBlockStart", { contentBlockIndex: 1, start: { toolUse: { toolUseId: "tooluse_1", name: "read" } } }],
  ["contentBlockDelta", { contentBlockIndex: 1, delta: { toolUse: { input: '{"path": ' } } }],
  ["contentBlockDelta", { contentBlockIndex: 1, delta: { toolUse: { input: '"a"}' } } }],
  ["contentBlockStop", { contentBlockIndex: 1 }],
  ["messageStop", { stopReason: "tool_use" }],
  [
    "metadata",
    {
      usage: {
        inputTokens: 10,
        outputTokens: 5,
        totalTokens: 65,
        cacheReadInputTokens: 20,
        cacheWriteInputTokens: 30,
        cacheDetails: [{ ttl: "1h", inputTokens: 12 }],
      },
      metrics: { latencyMs: 1 },
    },
  ],
);
function ask(
  format: ChatFormat,
  body: Record<string, unknown>,
  deployment: ReturnType<typeof bedrock>,
): Promise<LaneAnswer> {
  return lane(laneCall(format, body, deployment), new AbortController().signal);
}

const bedrock = (baseUrl: string) =>
  ({
    provider: "bedrock",
    model: "us.anthropic.claude-sonnet-4-5-v1:0",
    baseUrl,
    apiKey: "AKID:secret",
    region: "eu-west-1",
  }) as const;

for (const format of FORMATS) {
  test(`Bedrock's event stream reaches a client of ${format}, and its signature comes back`, async () => {
    const server = await bedrockServer(200, BEDROCK, EVENT_STREAM);
    open.push(server);
    const asked = { ...QUESTION[format], ...TOOLS[format] };
    const streamed = await ask(format, { ...asked, stream: true }, bedrock(server.baseUrl));
    const answer = await read(format, streamed, true);
    expect(answer).toMatchObject({
      finish: "calls",
      parts: [
        { type: "reasoning", text: "Think.", seal: { kind: "sdk", metadata: { bedrock: { signature: "sig" } } } },
        { type: "call", id: "tooluse_1", name: "read", arguments: '{"path": "a"}' },
      ],
      usage: { inputTokens: 10, cacheReadTokens: 20, cacheWriteTokens: 18, cacheWriteHourTokens: 12, outputTokens: 5 },
    });
    const whole = JSON.parse(await bodyOf(await ask(format, asked, bedrock(server.baseUrl)))) as Record<
      string,
      unknown
    >;
    await ask(format, { ...asked, ...history(format, whole) }, bedrock(server.baseUrl)).then(bodyOf);
    expect(server.asked.at(-1)?.path).toBe("/model/us.anthropic.claude-sonnet-4-5-v1:0/converse-stream");
    expect(server.asked.at(-1)?.body["messages"]).toMatchObject([
      { role: "user", content: [{ text: "hi" }] },
      {
        role: "assistant",
        content: [
          { reasoningContent: { reasoningText: { text: "Think.", signature: "sig" } } },
          { toolUse: { toolUseId: "tooluse_1", name: "read", input: { path: "a" } } },
        ],
      },
      { role: "user", content: [{ toolResult: { toolUseId: "tooluse_1" } }] },
    ]);
  });
}

test("marks for the prompt cache are points in Bedrock's prompt", async () => {
  const server = await bedrockServer(200, BEDROCK, EVENT_STREAM);
  open.push(server);
  const text = { type: "text", text: "hi", cache_control: { type: "ephemeral" } };
  const body = { ...QUESTION.messages, system: [text], messages: [{ role: "user", content: [text] }] };
  await ask("messages", body, bedrock(server.baseUrl)).then(bodyOf);
  expect(server.asked[0]?.body).toMatchObject({
    system: [{ text: "hi" }, { cachePoint: { type: "default" } }],
    messages: [{ role: "user", content: [{ text: "hi" }, { cachePoint: { type: "default" } }] }],
  });
});

test("a refusal of Bedrock hides the key and has its status", async () => {
  const server = await bedrockServer(
    403,
    Buffer.from('{"message":"The security token is invalid"}'),
    "application/json",
  );
  open.push(server);
  const answer = await ask("chat", QUESTION.chat, bedrock(server.baseUrl));
  expect([answer.status, JSON.parse(await bodyOf(answer))]).toMatchObject([
    403,
    { error: { type: "permission_error", message: "The security token is invalid" } },
  ]);
});
