import { afterAll, beforeAll, expect, test } from "vitest";
import type { Model, ModelEnd, ModelMessage, ModelOutput, ModelRequest } from "../ports/model.ts";
import { MODEL_CONTRACT_SCRIPTS, type ModelContractScript } from "./model-contract-scripts.ts";

/** A server that plays the contract's scripts, one for each model name. */
export type ModelContractServer = {
  /** The model of a script. An impatient one gives up after 100 ms without a byte. */
  model(script: string, options?: { readonly impatient: boolean }): Model;
  /** Whether the client left before the end, for each request of a script, oldest first. */
  aborted(script: string): Promise<readonly boolean[]>;
  close(): Promise<void>;
};

/** How a suite gets at the dialect that it tests. */
export type ModelContractOpener = {
  readonly start: (scripts: readonly ModelContractScript[]) => Promise<ModelContractServer>;
  /** Whether the API carries the reasoning's opaque data. */
  readonly signsReasoning: boolean;
};

/** What every `Model` must do. Each dialect's test file calls this once. */
export function modelContract(name: string, opener: ModelContractOpener): void {
  let server: ModelContractServer;
  beforeAll(async () => {
    server = await opener.start(MODEL_CONTRACT_SCRIPTS);
  }, 30_000);
  afterAll(() => server.close());
  const of = () => server;
  answers(name, of);
  reasoning(name, of, opener.signsReasoning);
  failures(name, of);
  cancellation(name, of);
}

type Server = () => ModelContractServer;

function answers(name: string, server: Server): void {
  test(`${name}: fragments come first and add up to the one end, which is last`, async () => {
    const outputs = await play(server().model("answer"));
    const end = endOf(outputs);
    expect(outputs.filter((output) => output.type === "end")).toEqual([end]);
    expect(joined(outputs, "text")).toBe("Héllo 👋, I look.");
    expect(end.content.filter((part) => part.type !== "reasoning")).toEqual([
      { type: "text", text: "Héllo 👋, I look." },
      { type: "call", providerId: expect.any(String) as string, tool: "read", arguments: '{"path":  "a"}' },
      { type: "call", providerId: expect.any(String) as string, tool: "terminal", arguments: '{"command": "l' },
    ]);
    expect(end).toMatchObject({ finish: "calls", model: "answer", costUsd: undefined });
  });

  test(`${name}: calls are told apart by index, and begin with name and id`, async () => {
    const outputs = await play(server().model("answer"));
    const calls = outputs.filter((output) => output.type === "call");
    const ids = endOf(outputs).content.flatMap((part) => (part.type === "call" ? [part.providerId] : []));
    expect(new Set(ids).size).toBe(2);
    expect(calls.filter((call) => call.tool !== undefined).map(({ tool, providerId }) => [tool, providerId])).toEqual([
      ["read", ids[0]],
      ["terminal", ids[1]],
    ]);
    const texts = [0, 1].map((index) => calls.filter((call) => call.index === index).map(({ delta }) => delta));
    expect(texts.map((parts) => parts.join(""))).toEqual(['{"path":  "a"}', '{"command": "l']);
  });

  test(`${name}: usage counts cached tokens as input`, async () => {
    const { usage } = endOf(await play(server().model("answer")));
    expect(usage).toMatchObject({ inputTokens: 100, outputTokens: 20, cacheReadTokens: 60 });
  });

  test.each(["stop", "length", "refusal"] as const)(`${name}: an answer can end by %s`, async (finish) => {
    expect(endOf(await play(server().model(finish))).finish).toBe(finish);
  });

  test(`${name}: an empty answer is an answer`, async () => {
    expect(endOf(await play(server().model("empty")))).toMatchObject({ finish: "stop", content: [] });
  });
}

function reasoning(name: string, server: Server, signed: boolean): void {
  test(`${name}: reasoning comes apart from text, with what the API wants back`, async () => {
    const outputs = await play(server().model("answer"));
    const part = endOf(outputs).content[0];
    expect(joined(outputs, "reasoning")).toBe("First think.");
    expect(part).toMatchObject({ type: "reasoning", text: "First think." });
    expect(JSON.stringify(part)).toContain(signed ? "c2NyaXB0ZWQtc2lnbmF0dXJl" : "reasoning_content");
  });

  test(`${name}: what was said can be sent back with its results, and the next turn comes`, async () => {
    const model = server().model("answer");
    const said = endOf(await play(model)).content;
    const results = said.flatMap((part): ModelMessage[] =>
      part.type === "call"
        ? [{ role: "tool", providerId: part.providerId, tool: part.tool, content: [], failed: true }]
        : [],
    );
    const messages: readonly ModelMessage[] = [
      ...ASK.messages,
      { role: "assistant", model: "m", content: said },
      ...results,
    ];
    expect(endOf(await play(model, { ...ASK, messages })).content).toEqual([{ type: "text", text: "Second turn." }]);
  });
}

function failures(name: string, server: Server): void {
  test.each([
    ["limited", { code: "model_rate_limited", details: { status: 429, retryAfterMs: 7000 } }],
    ["down", { code: "model_overloaded", details: { status: 503 } }],
    ["overloaded", { code: "model_overloaded", details: { status: 529 } }],
    ["unauthorized", { code: "model_unauthorized" }],
    ["rejected", { code: "model_rejected", message: expect.stringContaining("tools: wrong") as string }],
    ["overflow", { code: "context_overflow" }],
    ["unknown", { code: "model_unknown" }],
    ["cut", { code: "model_stream_broken" }],
    ["garbage", { code: "model_stream_broken" }],
    ["event", { code: "model_overloaded", message: expect.stringContaining("Busy") as string }],
    ["refused", { code: "model_unreachable" }],
    ["page", { code: "model_rejected", message: expect.stringContaining("web page") as string }],
  ])(`${name}: the failure "%s" has its code, and the next try works`, async (script, error) => {
    const model = server().model(script);
    await expect(play(model)).rejects.toMatchObject(error);
    expect(endOf(await play(model)).content).toEqual([{ type: "text", text: "Fine." }]);
  });

  test(`${name}: silence is a timeout, before the first byte and after it`, async () => {
    const model = server().model("silent", { impatient: true });
    await expect(play(model)).rejects.toMatchObject({ code: "model_timeout" });
    await expect(play(model)).rejects.toMatchObject({ code: "model_timeout" });
  });

  test(`${name}: one byte at a time is the same answer`, async () => {
    const model = server().model("trickle");
    expect(endOf(await play(model)).content).toEqual([{ type: "text", text: "Fine." }]);
  });
}

function cancellation(name: string, server: Server): void {
  test(`${name}: an abort ends the answer with its own reason, and the API sees the client leave`, async () => {
    const stop = new AbortController();
    const reason = { because: "the user said stop" };
    const read = async () => {
      for await (const output of server().model("slow").stream(ASK, stop.signal)) {
        if (output.type === "text") stop.abort(reason);
      }
    };
    await expect(read()).rejects.toBe(reason);
    await expect.poll(() => server().aborted("slow")).toEqual([true]);
  });

  test(`${name}: an abort before the call sends nothing`, async () => {
    const stop = new AbortController();
    stop.abort("too late");
    const read = async () => server().model("never").stream(ASK, stop.signal)[Symbol.asyncIterator]().next();
    await expect(read()).rejects.toBe("too late");
    expect(await server().aborted("never")).toEqual([]);
  });
}

const ASK: ModelRequest = {
  conversationId: "contract",
  system: "Be brief.",
  tools: [{ name: "read", description: "Reads a file.", parameters: { type: "object", properties: {} } }],
  messages: [{ role: "user", content: [{ type: "text", text: "Go." }] }],
  maxOutputTokens: 1000,
};

async function play(model: Model, request: ModelRequest = ASK): Promise<readonly ModelOutput[]> {
  const outputs: ModelOutput[] = [];
  for await (const output of model.stream(request, new AbortController().signal)) outputs.push(output);
  return outputs;
}

function endOf(outputs: readonly ModelOutput[]): ModelEnd {
  const end = outputs.at(-1);
  if (end?.type !== "end") throw new Error("The last output is no end.");
  return end;
}

function joined(outputs: readonly ModelOutput[], type: "text" | "reasoning"): string {
  return outputs.map((output) => (output.type === type ? output.delta : "")).join("");
}
