import { expect, test } from "vitest";
import { networkError } from "./network-error.ts";
import { providerError } from "./provider-error.ts";
import { safeText } from "./safe-text.ts";

const source = { model: "m", secrets: ["hunter2-secret"] };
const json = (message: string, more: object = {}) => JSON.stringify({ error: { message, ...more } });
const codeOf = (status: number, body: string) => providerError({ status, body }, source).code;

test.each([
  [400, json("This model's maximum context length is 8192 tokens. However, you requested 9000"), "context_overflow"],
  [400, json("x", { code: "context_length_exceeded" }), "context_overflow"],
  [400, json("prompt is too long: 210000 tokens > 200000 maximum"), "context_overflow"],
  [400, json("input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000"), "context_overflow"],
  [400, json("The input token count (1200000) exceeds the maximum number of tokens allowed"), "context_overflow"],
  [400, json("the request exceeds the available context size. try increasing it"), "context_overflow"],
  [413, json("Request exceeds the maximum size", { type: "request_too_large" }), "context_overflow"],
  [400, json("max_tokens: 9 > 8, which is the maximum allowed number of output tokens"), "model_rejected"],
  [400, json("Invalid model name passed in model=foo"), "model_unknown"],
  [404, '{"error":"model \\"foo\\" not found, try pulling it first"}', "model_unknown"],
  [404, json("model: claude-9", { type: "not_found_error" }), "model_unknown"],
  [404, '{"detail":"Not Found"}', "model_rejected"],
  [400, '[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key."}}]', "model_unauthorized"],
  [401, "", "model_unauthorized"],
  [403, "", "model_unauthorized"],
  [429, json("You exceeded your current quota", { code: "insufficient_quota" }), "model_rejected"],
  [429, json("Rate limit reached"), "model_rate_limited"],
  [408, "", "model_overloaded"],
  [409, "", "model_overloaded"],
  [500, "", "model_overloaded"],
  [529, json("Overloaded", { type: "overloaded_error" }), "model_overloaded"],
  [0, json("slow down", { code: 429 }), "model_rate_limited"],
  [0, json("bad", { type: "invalid_request_error" }), "model_rejected"],
  [301, "", "model_rejected"],
])("an answer of %i with %s is %s", (status, body, code) => {
  expect(codeOf(status, body)).toBe(code);
});

test("the wait that an API names comes in milliseconds, from each of its headers", () => {
  const after = (headers: Record<string, string>) =>
    providerError({ status: 429, body: "", headers: new Headers(headers) }, source).details["retryAfterMs"];
  expect(after({ "retry-after": "1.5" })).toBe(1500);
  expect(after({ "retry-after": "9", "retry-after-ms": "250" })).toBe(250);
  expect(after({ "retry-after": new Date(Date.now() - 5000).toUTCString() })).toBe(0);
  expect(after({ "retry-after": new Date(Date.now() + 3_600_000).toUTCString() })).toBeGreaterThan(3_000_000);
  expect(after({ "retry-after": "soon" })).toBeUndefined();
  expect(after({})).toBeUndefined();
});

test("messages hold the API's sentence, but no key, no control character, and at most 500 characters", () => {
  const body = json("Bad key hunter2-secret or sk-ant-REDACTED01234567 \u001b[31m\u0000red\u202e. " + "x".repeat(900));
  const { message } = providerError({ status: 400, body }, source);
  expect(message).toMatch(/^The model's API answered 400: Bad key \*\*\* or \*\*\* \[31m red/);
  expect(message).toHaveLength(500);
  expect(safeText("skipping_everything keyboard-interruption", [])).toBe("skipping_everything keyboard-interruption");
  expect(safeText("authorization: Bearer abc.def", [])).toBe("authorization: ***");
});

test("a connection that fails says where, and what to look at", () => {
  const said = (code: string) =>
    networkError(Object.assign(new TypeError("fetch failed"), { cause: { code } }), "https://a.test:1/v1", "m").message;
  expect(said("ENOTFOUND")).toContain("a.test of the model's base URL was not found");
  expect(said("ECONNREFUSED")).toContain("Nothing answers at a.test:1");
  expect(said("DEPTH_ZERO_SELF_SIGNED_CERT")).toContain("certificate of a.test:1 is not trusted");
  expect(said("ERR_SSL_WRONG_VERSION_NUMBER")).toContain("http:// instead of https://");
  expect(said("UND_ERR_CONNECT_TIMEOUT")).toContain("did not answer in time");
});

test("a refusal of Handrail's gateway keeps its code, its sentence and its wait", () => {
  const headers = new Headers({ "x-handrail-error": "budget_exceeded", "retry-after": "60" });
  const body = JSON.stringify({ error: { message: "The budget of the key is used up until midnight." } });
  const error = providerError({ status: 429, body, headers }, { model: "m", secrets: [] });
  expect(error.toJSON()).toEqual({
    code: "budget_exceeded",
    message: "The budget of the key is used up until midnight.",
    details: { model: "m", status: 429, retryAfterMs: 60_000 },
  });
});
