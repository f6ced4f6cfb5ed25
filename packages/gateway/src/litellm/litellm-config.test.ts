import { readFileSync } from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import { describe, expect, test } from "vitest";
import { parseLiteLlmConfig } from "./litellm-config.ts";

const EXAMPLE = readFileSync(new URL("__fixtures__/config.yaml", import.meta.url), "utf8");
const environment = {
  AZURE_EU_KEY: "az-1",
  OPENAI_API_KEY: "sk-openai",
  ANTHROPIC_API_KEY: "sk-ant",
  AWS_SECRET: "aws-secret",
  REDIS_PASSWORD: "p@ss",
  LITELLM_MASTER_KEY: "sk-master",
};
const files: Readonly<Record<string, string>> = { "account.json": '{"type":"service_account"}' };

function parse(text: string, env: Readonly<Record<string, string>> = environment) {
  return parseLiteLlmConfig(text, { environment: env, read: (name) => files[name] ?? "" });
}

function failure(text: string): string {
  try {
    parse(text);
  } catch (thrown) {
    if (thrown instanceof AppError) return `${thrown.code}: ${thrown.message}`;
    throw thrown;
  }
  return "nothing was thrown";
}

const one = (params: string, more = "") =>
  `model_list:\n  - model_name: m\n    litellm_params: { ${params} }\n    ${more}`;

describe("a config.yaml of LiteLLM", () => {
  test("becomes deployments, with their keys from the environment", () => {
    const ids = (id: string) => (/^[0-9a-f]{24}$/.test(id) ? "made" : id);
    expect(parse(EXAMPLE).deployments.map((place) => ({ ...place, id: ids(place.id) }))).toEqual([
      {
        id: "azure-eu",
        name: "gpt-4o",
        provider: "azure",
        model: "gpt-4o-eu",
        baseUrl: "https://eu.openai.azure.com",
        apiKey: "az-1",
        apiVersion: "2024-10-21",
        weight: 2,
        requestsPerMinute: 600,
        tokensPerMinute: 100_000,
        timeoutMs: 90_000,
        streamTimeoutMs: 15_500,
        priceModel: "gpt-4o",
        mode: "chat",
      },
      {
        id: "made",
        name: "gpt-4o",
        provider: "openai",
        model: "gpt-4o",
        apiKey: "sk-openai",
        headers: { "x-team": "core", "openai-organization": "org-1" },
        timeoutMs: 300_000,
        maxRetries: 0,
        mode: "chat",
      },
      {
        id: "made",
        name: "anthropic/*",
        provider: "anthropic",
        model: "*",
        apiKey: "sk-ant",
        timeoutMs: 300_000,
        mode: "chat",
      },
      {
        id: "made",
        name: "claude-cheap",
        provider: "bedrock",
        model: "anthropic.claude-haiku-4-5-20251001-v1:0",
        apiKey: "AKIA1:aws-secret",
        region: "eu-west-1",
        timeoutMs: 300_000,
        mode: "chat",
      },
      {
        id: "made",
        name: "house",
        provider: "openai_compatible",
        model: "llama-3.3-70b",
        baseUrl: "https://team.example.org/v1",
        timeoutMs: 300_000,
        prices: { inputUsdPerMillion: 0.3, outputUsdPerMillion: 1.1, cacheReadUsdPerMillion: 0.03 },
        contextTokens: 131_072,
        maxOutputTokens: 8192,
        mode: "chat",
      },
      {
        id: "made",
        name: "behind",
        provider: "litellm",
        model: "gpt-5",
        baseUrl: "http://litellm:4000",
        apiKey: "sk-1",
        timeoutMs: 300_000,
        mode: "chat",
      },
      {
        id: "made",
        name: "embed",
        provider: "openai",
        model: "text-embedding-3-small",
        apiKey: "sk-openai",
        timeoutMs: 300_000,
        mode: "embedding",
      },
    ]);
  });

  test("says how calls are routed, kept and opened", () => {
    const { rules, routing, cache, general } = parse(EXAMPLE);
    expect({ rules, routing, cache, general }).toEqual({
      rules: {
        strategy: "lowest-latency",
        aliases: { "gpt-4": "gpt-4o", "hidden-one": "claude-cheap" },
        fallbacks: { "gpt-4o": ["claude-cheap", "house"] },
        contextFallbacks: { "gpt-4o": ["anthropic/claude-sonnet-5"] },
        contentFallbacks: {},
        defaultFallbacks: ["house"],
      },
      routing: { retries: 3, backoffMs: 250, allowedFailures: 5, cooldownMs: 12_000 },
      cache: { enabled: true, redisUrl: "redis://:p%40ss@redis:6380", ttlMs: 600_000, namespace: "llm" },
      general: {
        masterKey: "sk-master",
        databaseUrl: "postgresql://litellm:secret@db/litellm",
        retentionDays: 30,
      },
    });
  });

  test("warns by name about everything that it says in vain", () => {
    expect(parse(EXAMPLE).warnings).toEqual([
      "model_list[1].litellm_params.temperature (config.yaml, line 29) is not known and changes nothing.",
      "The variable NOT_SET is not set, which config.yaml, line 43 asks for.",
      "model_list[7] (config.yaml, line 55): the mode image_generation is not served; the entry is left out.",
      "model_list[8].litellm_params (config.yaml, line 59): the provider of watsonx/granite is not served; the entry is left out.",
      "general_settings.custom_auth: Sign-in code of one's own is not run: only keys open the gateway.",
      "litellm_settings.drop_params: a field that cannot be carried is refused by its name, not dropped.",
      "litellm_settings.callbacks: langfuse is not served; /metrics always is.",
      "router_settings.tag_filtering (config.yaml, line 71) is not known and changes nothing.",
    ]);
  });

  test("keeps the ids of its deployments when it is read again, and tells equal entries apart", () => {
    const twice = `${one("model: openai/a")}\n  - model_name: m\n    litellm_params: { model: openai/a }`;
    const [first, second] = parse(twice).deployments.map(({ id }) => id);
    expect(parse(twice, { OPENAI_API_KEY: "another" }).deployments.map(({ id }) => id)).toEqual([first, second]);
    expect(second).toBe(`${first}-2`);
  });

  test("never sends a provider's key from the environment to another address", () => {
    const [place] = parse(one("model: openai/x, api_base: 'https://elsewhere.example/v1'")).deployments;
    expect(place?.apiKey).toBeUndefined();
  });

  test("names credentials once for several models, and reads the file of a service account", () => {
    const credentials = "credential_list:\n  - credential_name: c\n    credential_values: { api_key: k1 }\n";
    const vertex =
      "model: vertex_ai/gemini-3-pro, vertex_project: p, vertex_location: eu, vertex_credentials: account.json";
    expect(parse(credentials + one("model: groq/llama, litellm_credential_name: c")).deployments[0]?.apiKey).toBe("k1");
    expect(parse(one(vertex)).deployments[0]).toMatchObject({
      provider: "vertex",
      project: "p",
      region: "eu",
      apiKey: files["account.json"],
    });
  });

  test("of * for * serves every provider whose key is set", () => {
    const text = 'model_list: [{ model_name: "*", litellm_params: { model: "*" } }]';
    const places = parse(text, { GROQ_API_KEY: "g", ANTHROPIC_API_KEY: "a" }).deployments;
    expect(places.map(({ name, provider, model, apiKey }) => [name, provider, model, apiKey])).toEqual([
      ["anthropic/*", "anthropic", "*", "a"],
      ["groq/*", "groq", "*", "g"],
      ["claude-*", "anthropic", "claude-*", "a"],
      ["*", "openai", "*", undefined],
    ]);
  });

  test("is refused with the line where it is wrong", () => {
    expect([
      failure("model_list: [\n  {model_name: a"),
      failure(one("model: openai/x, rpm: many")),
      failure(one("model: openai/x, rpm: -1")),
      failure("model_list:\n  - model_name: m\n"),
      failure("model_list:\n  - litellm_params: { model: x }\n"),
      failure("model_list: 7\n"),
      failure("a: 1\na: 2\n"),
      failure("- a\n"),
      failure(""),
      failure("general_settings:\n  maximum_spend_logs_retention_period: soon\n"),
    ]).toMatchInlineSnapshot(`
      [
        "config_invalid: config.yaml, line 2: Flow map in block collection must be sufficiently indented and end with a }.",
        "config_invalid: model_list[0].litellm_params.rpm (config.yaml, line 3) must be a number that is not negative.",
        "config_invalid: model_list[0].litellm_params.rpm (config.yaml, line 3) must be a number that is not negative.",
        "config_invalid: model_list[0] (config.yaml, line 2) has no litellm_params.",
        "config_invalid: model_list[0] (config.yaml, line 2) has no model_name.",
        "config_invalid: model_list[0] (config.yaml, line 1) must be a mapping of names to values.",
        "config_invalid: config.yaml, line 2: Map keys must be unique.",
        "config_invalid: The file (config.yaml, line 1) must be a mapping of names to values.",
        "config_invalid: config.yaml is empty.",
        "config_invalid: The duration soon must be a number with s, m, h, d, w or mo.",
      ]
    `);
  });

  test("is refused when it is larger than a configuration can be, and when its aliases multiply", () => {
    expect(failure(`a: ${"x".repeat(5_000_000)}`)).toBe("config_invalid: config.yaml is larger than 4 MiB.");
    const bomb = ["a0: &a0 [x, x]", ...Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`)];
    expect(parse(bomb.join("\n")).warnings).toHaveLength(31);
  });
});
