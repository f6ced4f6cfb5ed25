import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ModelSetting } from "@handrail/protocol/settings";
import { afterAll, beforeAll, expect, test } from "vitest";
import { endOf } from "./testing/fixture-model.ts";
import { createModel } from "./create-model.ts";
import { testModel } from "./test-model.ts";

const KEY = "sk-test-0123456789abcdef";
const SAID = 'data: {"model":"m","choices":[{"delta":{"content":"ready"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
const bodies: Record<string, unknown>[] = [];

/** An OpenAI-compatible API under /v1 that knows one key and the model `good`, and no `max_tokens`. */
const server = createServer((request, response) => {
  let text = "";
  request.on("data", (part: Buffer) => (text += part.toString()));
  request.on("end", () => {
    const [status, body] = answerTo(request.url ?? "", request.headers.authorization, text);
    const type = body.startsWith("data:")
      ? "text/event-stream"
      : body.startsWith("<")
        ? "text/html"
        : "application/json";
    response.writeHead(status, { "content-type": type }).end(body);
  });
});

function answerTo(path: string, authorization: string | undefined, text: string): [number, string] {
  if (path.startsWith("/page")) return [200, "<!doctype html><title>hi</title>"];
  if (!path.startsWith("/v1/")) return [404, '{"detail":"Not Found"}'];
  if (authorization !== `Bearer ${KEY}`) return [401, `{"error":{"message":"Incorrect API key: ${authorization}"}}`];
  if (path === "/v1/models") return [200, '{"object":"list","data":[{"id":"good"},{"id":"other"}]}'];
  if (path !== "/v1/chat/completions") return [404, '{"error":{"message":"no such route"}}'];
  const body = JSON.parse(text) as Record<string, unknown>;
  bodies.push(body);
  if (body["model"] !== "good") return [404, '{"error":{"message":"The model does not exist"}}'];
  if ("stream_options" in body) return [400, '{"error":{"message":"unknown field stream_options"}}'];
  if ("max_tokens" in body)
    return [
      400,
      '{"error":{"message":"Unsupported parameter: \'max_tokens\'. Use \'max_completion_tokens\' instead."}}',
    ];
  return [200, SAID];
}

let origin = "";
let closed = "";
beforeAll(async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  closed = `http://127.0.0.1:${(other.address() as AddressInfo).port}/v1`;
  await new Promise((resolve) => other.close(resolve));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const setting = (change: Partial<ModelSetting> = {}): ModelSetting => ({
  dialect: "openai",
  baseUrl: `${origin}/v1`,
  apiKey: KEY,
  model: "good",
  ...change,
});

test("a model that works says so, with its answer", async () => {
  expect(await testModel(setting())).toEqual({
    ok: true,
    message: "The model good answers.",
    answer: "ready",
    latencyMs: expect.any(Number) as number,
  });
});

test("what an API refuses is left out from then on, without asking again", async () => {
  const model = createModel({ ...setting(), id: "x" });
  bodies.length = 0;
  await endOf(model);
  await endOf(model);
  const shapes = bodies.map((body) =>
    ["stream_options", "max_tokens", "max_completion_tokens"].filter((key) => key in body),
  );
  expect(shapes).toEqual([
    ["stream_options", "max_tokens"],
    ["max_tokens"],
    ["max_completion_tokens"],
    ["max_completion_tokens"],
  ]);
});

test.each([
  ["a wrong key", { apiKey: "sk-wrong-0123456789abc" }, "model_unauthorized", "Incorrect API key: ***"],
  ["a wrong model", { model: "bad" }, "model_unknown", "It has: good, other."],
  ["a base URL without /v1", { baseUrl: "/" }, "model_rejected", "the base URL probably needs /v1 at its end"],
  ["a web page", { baseUrl: "/page" }, "model_rejected", "a web page, not an API's answer"],
  ["the wrong dialect", { dialect: "anthropic" }, "model_unauthorized", "Is it an OpenAI-compatible API?"],
  ["a refused connection", { baseUrl: "refused" }, "model_unreachable", "Nothing answers at 127.0.0.1:"],
  ["a reserved port", { baseUrl: "http://127.0.0.1:1/v1" }, "model_unreachable", "reserved for another protocol"],
  ["a host that is not there", { baseUrl: "http://nowhere.invalid/v1" }, "model_unreachable", "nowhere.invalid"],
  ["TLS where there is none", { baseUrl: "https:" }, "model_unreachable", "http:// instead of https://"],
  ["a URL with a password", { baseUrl: "http://user:pass@a.test" }, "config_invalid", "must not hold a password"],
] as const)("%s is told in words that help, without the key", async (_, change, code, words) => {
  const url = "baseUrl" in change ? urlOf(change.baseUrl) : `${origin}/v1`;
  const result = await testModel(setting({ ...change, baseUrl: url }));
  expect(result).toMatchObject({ ok: false, code, message: expect.stringContaining(words) as string });
  expect(result.message).not.toMatch(/sk-(test|wrong)/);
});

function urlOf(baseUrl: string): string {
  if (baseUrl.startsWith("/")) return origin + baseUrl;
  if (baseUrl === "refused") return closed;
  return baseUrl === "https:" ? origin.replace("http:", "https:") : baseUrl;
}
