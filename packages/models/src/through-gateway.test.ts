import type { ModelRequest } from "@handrail/core/ports/model";
import { expect, test } from "vitest";
import { anthropicMessages } from "./anthropic-messages.ts";
import { openAiChat } from "./openai-chat.ts";
import { throughGateway } from "./through-gateway.ts";

const request: ModelRequest = {
  conversationId: "c_1",
  system: "Be brief.",
  tools: [],
  messages: [{ role: "user", content: [{ type: "text", text: `say {"model":"x"}` }] }],
  maxOutputTokens: 100,
};
const via = { baseUrl: "http://127.0.0.1:4000", apiKey: "sk-gateway", model: "fast" };

test("a request through the gateway is the model's own, but for address, key and name", () => {
  const own = openAiChat({ baseUrl: "https://api.openai.com/v1", apiKey: "sk-own", model: "gpt-x" });
  const direct = own.toHttp(request);
  const sent = throughGateway(own, "openai", "gpt-x", via).toHttp(request);
  expect(sent).toEqual({
    url: "http://127.0.0.1:4000/v1/chat/completions",
    headers: { "x-litellm-session-id": "c_1", "x-litellm-num-retries": "0", authorization: "Bearer sk-gateway" },
    body: direct.body.replace(`"gpt-x"`, `"fast"`),
  });
});

test("Anthropic's own key does not travel to the gateway", () => {
  const own = anthropicMessages({ baseUrl: "https://api.anthropic.com", apiKey: "sk-own", model: "claude-x" });
  const { url, headers } = throughGateway(own, "anthropic", "claude-x", via).toHttp(request);
  expect(url).toBe("http://127.0.0.1:4000/v1/messages");
  expect(headers).toEqual({
    "anthropic-version": "2023-06-01",
    "x-litellm-session-id": "c_1",
    "x-litellm-num-retries": "0",
    authorization: "Bearer sk-gateway",
  });
});
