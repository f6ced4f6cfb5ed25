import { expect, test } from "vitest";
import type { Deployment } from "../ports/deployment.ts";
import type { Format } from "../ports/format.ts";
import { addressOf } from "./address.ts";
import { modelHeaders, shownHeaders, upstreamHeaders } from "./upstream-headers.ts";

const place = (own: Partial<Deployment>): Deployment => ({
  id: "d",
  name: "m",
  provider: "openai",
  model: "up",
  ...own,
});

const KEY = { apiKey: "sk-up" };
const bearer = { authorization: "Bearer sk-up" };

test.each<[string, Partial<Deployment>, Format, string]>([
  ["OpenAI's own", {}, "chat", "https://api.openai.com/v1/chat/completions"],
  ["Anthropic's own", { provider: "anthropic" }, "messages", "https://api.anthropic.com/v1/messages"],
  [
    "Google's",
    { provider: "google" },
    "chat",
    "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
  ],
  ["Groq's", { provider: "groq" }, "chat", "https://api.groq.com/openai/v1/chat/completions"],
  ["OpenRouter's", { provider: "openrouter" }, "chat", "https://openrouter.ai/api/v1/chat/completions"],
  ["DeepSeek's", { provider: "deepseek" }, "chat", "https://api.deepseek.com/v1/chat/completions"],
  ["an Ollama's", { provider: "ollama" }, "embeddings", "http://127.0.0.1:11434/v1/embeddings"],
  ["a vLLM's", { provider: "vllm" }, "chat", "http://127.0.0.1:8000/v1/chat/completions"],
  ["a LiteLLM's", { provider: "litellm" }, "responses", "http://127.0.0.1:4000/v1/responses"],
  ["one with a path", { baseUrl: "https://h/api/v3/" }, "chat", "https://h/api/v3/chat/completions"],
  ["one without", { baseUrl: "https://h" }, "chat", "https://h/v1/chat/completions"],
  ["Messages below a path", { baseUrl: "https://h/anthropic" }, "messages", "https://h/anthropic/v1/messages"],
  ["Messages below a version", { baseUrl: "https://h/v1" }, "messages", "https://h/v1/messages"],
  ["one with a query", { baseUrl: "https://h/v1?tenant=7" }, "chat", "https://h/v1/chat/completions?tenant=7"],
  [
    "Azure's, dated",
    { provider: "azure", baseUrl: "https://a.azure.com", apiVersion: "2024-10-21" },
    "chat",
    "https://a.azure.com/openai/deployments/up/chat/completions?api-version=2024-10-21",
  ],
  [
    "Azure's Responses, dated",
    { provider: "azure", baseUrl: "https://a.azure.com/openai", apiVersion: "2025-03-01-preview" },
    "responses",
    "https://a.azure.com/openai/responses?api-version=2025-03-01-preview",
  ],
  [
    "Azure's v1",
    { provider: "azure", baseUrl: "https://a.azure.com" },
    "chat",
    "https://a.azure.com/openai/v1/chat/completions",
  ],
  [
    "Azure's v1, named",
    { provider: "azure", baseUrl: "https://a.azure.com/openai/v1/", apiVersion: "preview" },
    "embeddings",
    "https://a.azure.com/openai/v1/embeddings?api-version=preview",
  ],
])("the address of %s", (_name, own, format, url) => {
  const { origin, path } = addressOf(place(own), { model: "up", format });
  expect(origin + path).toBe(url);
});

test("an address that is none, or holds a password, is refused", () => {
  for (const baseUrl of ["ftp://h/v1", "h", "https://user:secret@h/v1"])
    expect(() => addressOf(place({ baseUrl }), { model: "up", format: "chat" })).toThrow("The base URL of the model m");
  expect(() => addressOf(place({ provider: "azure" }), { model: "up", format: "chat" })).toThrow("http");
});

test("each provider gets its key in its own header", () => {
  const keyOf = (own: Partial<Deployment>, format: Format = "chat") => {
    const { authorization, "x-api-key": xApiKey, "api-key": apiKey } = upstreamHeaders(place(own), format, {}, false);
    return { ...(authorization && { authorization }), ...(xApiKey && { xApiKey }), ...(apiKey && { apiKey }) };
  };
  expect(keyOf(KEY)).toEqual(bearer);
  expect(keyOf({ ...KEY, provider: "azure" })).toEqual({ apiKey: "sk-up" });
  expect(keyOf({ ...KEY, provider: "anthropic" }, "messages")).toEqual({ xApiKey: "sk-up" });
  const token = "sk-ant-oat01-x";
  expect(keyOf({ apiKey: token, provider: "anthropic" }, "messages")).toEqual({ authorization: `Bearer ${token}` });
  expect(keyOf({ ...KEY, provider: "litellm" }, "messages")).toEqual({ ...bearer, xApiKey: "sk-up" });
  expect([keyOf({}), keyOf({ apiKey: "" })]).toEqual([{}, {}]);
});

test("of a client's headers those go on that change what a model does, and none takes the place of the gateway's", () => {
  const client = modelHeaders({
    "anthropic-beta": "one,two",
    "anthropic-version": "2024-01-01",
    "openai-beta": ["a", "b"],
    "http-referer": "https://app",
    "x-title": "App",
    authorization: "Bearer sk-client",
    "x-api-key": "sk-client",
    "openai-organization": "org-client",
    cookie: "c=1",
    "x-forwarded-for": "10.0.0.1",
  });
  expect(client).toEqual({
    "anthropic-beta": "one,two",
    "anthropic-version": "2024-01-01",
    "openai-beta": "a, b",
    "http-referer": "https://app",
    "x-title": "App",
  });
  const sent = upstreamHeaders(place({ ...KEY, headers: { "X-Title": "Ours", "X-Own": "1" } }), "chat", client, true);
  expect(sent).toEqual({
    ...client,
    ...bearer,
    "x-title": "Ours",
    "x-own": "1",
    "content-type": "application/json",
    accept: "text/event-stream, application/json",
    "accept-encoding": "identity",
    "user-agent": "handrail-gateway",
  });
  expect(upstreamHeaders(place({}), "messages", {}, false)).toMatchObject({ "anthropic-version": "2023-06-01" });
});

test("of a provider's headers a client sees what is for it, and the provider's limits under another name", () => {
  expect(
    shownHeaders({
      "content-type": "application/json",
      "x-request-id": "r1",
      "request-id": "r2",
      "retry-after": "7",
      "openai-processing-ms": "12",
      "x-ratelimit-remaining-requests": "5",
      "anthropic-ratelimit-tokens-remaining": "6",
      "set-cookie": "c=1",
      server: "theirs",
      "access-control-allow-origin": "*",
      "transfer-encoding": "chunked",
    }),
  ).toEqual({
    "content-type": "application/json",
    "x-request-id": "r1",
    "request-id": "r2",
    "retry-after": "7",
    "openai-processing-ms": "12",
    "llm_provider-x-ratelimit-remaining-requests": "5",
    "llm_provider-anthropic-ratelimit-tokens-remaining": "6",
  });
});
