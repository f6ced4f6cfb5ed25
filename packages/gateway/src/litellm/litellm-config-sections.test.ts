import { describe, expect, test } from "vitest";
import { parseLiteLlmConfig } from "./litellm-config.ts";

const parse = (text: string) => parseLiteLlmConfig(text, { environment: {}, read: () => "" });

describe("a config.yaml of LiteLLM", () => {
  test("warns of what is unknown in every section, by its name and line", () => {
    const text = `model_list: []
general_settings:
  odd_general: 1
litellm_settings:
  odd_setting: 1
  cache: true
  cache_params: { type: s3, odd_cache: 1 }
router_settings:
  odd_router: 1
  routing_strategy: by-moon
odd_section: 1
`;
    const warnings = parse(text).warnings.map((warning) => warning.replace(/ \(config\.yaml, line \d+\)/, ""));
    expect(warnings.toSorted()).toEqual([
      "A cache of the type s3 is not served; answers are kept in memory.",
      "The routing strategy by-moon is not known; calls are spread by weight.",
      "general_settings.odd_general is not known and changes nothing.",
      "litellm_settings.cache_params.odd_cache is not known and changes nothing.",
      "litellm_settings.odd_setting is not known and changes nothing.",
      "odd_section is not known and changes nothing.",
      "router_settings.odd_router is not known and changes nothing.",
    ]);
  });

  test("sets every price, limit and time of a deployment, and every chain", () => {
    const text = `model_list:
  - model_name: m
    litellm_params:
      model: openai/up
      api_key: sk-1
      rpm: 10
      tpm: 2000
      weight: 3
      timeout: 30
      stream_timeout: 5
      max_retries: 4
      extra_headers: { X-Own: one }
      organization: org-1
      input_cost_per_token: 0.000001
      output_cost_per_token: 0.000002
      cache_read_input_token_cost: 0.000003
      cache_creation_input_token_cost: 0.000004
      cache_creation_input_token_cost_above_1hr: 0.000005
      output_cost_per_reasoning_token: 0.000006
      input_cost_per_audio_token: 0.000007
      output_cost_per_audio_token: 0.000008
router_settings:
  fallbacks: [{ m: [a] }]
  context_window_fallbacks: [{ m: [b] }]
  content_policy_fallbacks: [{ m: [c] }]
  default_fallbacks: [d]
  num_retries: 7
  allowed_fails: 6
  cooldown_time: 5
  retry_after: 2
`;
    const { deployments, rules, routing, warnings } = parse(text);
    expect(deployments).toMatchObject([
      {
        requestsPerMinute: 10,
        tokensPerMinute: 2000,
        weight: 3,
        timeoutMs: 30_000,
        streamTimeoutMs: 5000,
        maxRetries: 4,
        headers: { "x-own": "one", "openai-organization": "org-1" },
        prices: {
          inputUsdPerMillion: 1,
          outputUsdPerMillion: 2,
          cacheReadUsdPerMillion: 3,
          cacheWriteUsdPerMillion: 4,
          cacheWriteHourUsdPerMillion: 5,
          reasoningUsdPerMillion: 6,
          inputAudioUsdPerMillion: 7,
          outputAudioUsdPerMillion: 8,
        },
      },
    ]);
    expect(rules).toMatchObject({
      fallbacks: { m: ["a"] },
      contextFallbacks: { m: ["b"] },
      contentFallbacks: { m: ["c"] },
      defaultFallbacks: ["d"],
    });
    expect([routing, warnings]).toEqual([{ retries: 7, allowedFailures: 6, cooldownMs: 5000, backoffMs: 2000 }, []]);
  });
});
