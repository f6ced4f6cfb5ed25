import { expect, test } from "vitest";
import { deploymentDraft, NEW_DEPLOYMENT, readDeploymentDraft } from "./deployment-draft.ts";

const health = { state: "unused", calls: 0, failures: 0, p50Ms: null } as const;

test("the form gives a place, named by its model unless a name is given", () => {
  const draft = { ...NEW_DEPLOYMENT, model: "gpt-x", apiKey: "sk-1", weight: "2", inputPrice: "0.5" };
  expect(readDeploymentDraft(draft)).toEqual({
    name: "gpt-x",
    provider: "openai",
    model: "gpt-x",
    apiKey: "sk-1",
    weight: 2,
    prices: { inputUsdPerMillion: 0.5 },
  });
});

test("what the form does not show of a stored place stays", () => {
  const stored = {
    id: "d_1",
    name: "fast",
    provider: "anthropic",
    model: "claude-x",
    maxOutputTokens: 4096,
    prices: { inputUsdPerMillion: 3, cacheReadUsdPerMillion: 0.3 },
    hasKey: true,
    source: "page",
    priced: true,
    health,
  } as const;
  expect(readDeploymentDraft({ ...deploymentDraft(stored), inputPrice: "" }, stored)).toEqual({
    name: "fast",
    provider: "anthropic",
    model: "claude-x",
    maxOutputTokens: 4096,
    prices: { cacheReadUsdPerMillion: 0.3 },
  });
});

test("what is missing or wrong is said in a sentence", () => {
  expect(readDeploymentDraft(NEW_DEPLOYMENT)).toBe("Give the model's name as the provider knows it.");
  expect(readDeploymentDraft({ ...NEW_DEPLOYMENT, model: "m", provider: "vllm" })).toBe("Give the address of the API.");
  expect(readDeploymentDraft({ ...NEW_DEPLOYMENT, model: "m", weight: "heavy" })).toContain("Weight: ");
  expect(readDeploymentDraft({ ...NEW_DEPLOYMENT, model: "m", baseUrl: "ftp://x" })).toContain("Base URL: ");
});
