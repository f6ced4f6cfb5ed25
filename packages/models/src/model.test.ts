import { modelContract } from "@handrail/core/testing/model-contract";
import { describe } from "vitest";
import { contractServer } from "./testing/contract-server.ts";

describe("openai", () => {
  modelContract("openai", { start: (scripts) => contractServer("openai", scripts), signsReasoning: false });
});
describe("anthropic", () => {
  modelContract("anthropic", { start: (scripts) => contractServer("anthropic", scripts), signsReasoning: true });
});
