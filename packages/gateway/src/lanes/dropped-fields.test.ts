import { expect, test } from "vitest";
import type { Deployment } from "../ports/deployment.ts";
import type { ChatFormat } from "../ports/format.ts";
import { laneCall } from "../testing/lane-calls.ts";
import { droppedFields } from "./dropped-fields.ts";

const FOR_GATEWAY = {
  cache: { "no-cache": true },
  fallbacks: ["b"],
  tags: ["t"],
  num_retries: 1,
  guardrails: [],
  litellm_metadata: {},
  litellm_session_id: "s",
  litellm_trace_id: "t",
  litellm_call_id: "c",
  litellm_params: {},
};
const TEXTS = { metadata: { session_id: "s" } };

/** What of a request with all of that, and more, does not go on. */
function dropped(format: ChatFormat, provider: Deployment["provider"], more: object = TEXTS): readonly string[] {
  const call = laneCall(format, { model: "m", temperature: 1, user: "u", ...FOR_GATEWAY, ...more }, { provider });
  const fields = droppedFields(call);
  return Object.keys(call.parsed).filter((field) => fields.has(field));
}

const ours = Object.keys(FOR_GATEWAY);

test("what is meant for the gateway does not go on, but to a LiteLLM, which gets all of it", () => {
  expect(dropped("chat", "vllm", {})).toEqual(ours);
  expect(dropped("chat", "litellm")).toEqual([]);
});

test("metadata goes on where the provider's API has it", () => {
  expect(dropped("messages", "anthropic")).toEqual(ours);
  expect(dropped("responses", "openai")).toEqual(ours);
  expect(dropped("chat", "openai", { ...TEXTS, store: true })).toEqual(ours);
  const withMetadata = [...ours, "metadata"];
  expect(dropped("chat", "openai")).toEqual(withMetadata);
  expect(dropped("chat", "groq", { ...TEXTS, store: true })).toEqual(withMetadata);
  expect(dropped("responses", "openai", { metadata: { deep: {} } })).toEqual(withMetadata);
  const many = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, "v"]));
  expect(dropped("responses", "azure", { metadata: many })).toEqual(withMetadata);
});
