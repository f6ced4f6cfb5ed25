import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { LedgerEntry } from "../ports/ledger.ts";
import { NO_TOKENS } from "../ports/token-usage.ts";
import { type CallReport, gatewayMetrics } from "./gateway-metrics.ts";
import type { GaugeSources } from "./gauges.ts";

const LITELLM_LABELS = JSON.parse(
  readFileSync(new URL("__fixtures__/litellm-1.106.12-labels.json", import.meta.url), "utf8"),
) as Readonly<Record<string, readonly string[] | null>>;

const PLACE = { id: "d1", name: "gpt", provider: "openai", model: "gpt-4o", baseUrl: "http://up/v1" } as const;
const sources: GaugeSources = {
  deployments: () => [
    { deployment: { ...PLACE, requestsPerMinute: 60, tokensPerMinute: 1000 }, state: "resting" },
    { deployment: { ...PLACE, id: "d2" }, state: "ok" },
  ],
  standings: async () =>
    (["key", "user", "team"] as const).map((kind) => ({
      kind,
      id: `${kind}-1`,
      name: `the ${kind}`,
      limits: [
        { scope: "s", kind: "budget", limit: 10, remaining: 7.5, resetAt: 0 },
        { scope: "s", kind: "requests", limit: 60, remaining: 50 },
      ],
    })),
  inFlight: () => 2,
  backlog: () => 3,
};
const entry: LedgerEntry = {
  callId: "c1",
  at: 2000,
  startedAt: 1000,
  keyId: "k1",
  ownerKind: "user",
  ownerId: "u1",
  teamId: "t1",
  model: "gpt",
  format: "chat",
  streamed: true,
  outcome: "ok",
  usage: { ...NO_TOKENS, inputTokens: 100, cacheReadTokens: 20, outputTokens: 7, reasoningTokens: 3 },
  costUsd: 0.25,
  savedUsd: 0,
  estimated: false,
  priced: true,
  deploymentId: "d1",
  provider: "openai",
  upstreamModel: "gpt-4o",
  status: 200,
  latencyMs: 300,
  firstByteMs: 40,
  retries: 1,
  fallbacks: 0,
};
const report: CallReport = {
  entry,
  route: "/v1/chat/completions",
  group: "gpt",
  key: { hash: "abc", name: "ci" },
  teamName: "Core",
  apiBase: "http://up/v1",
  cacheAsked: true,
  upstreamMs: 295,
};

type Sample = { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number };

function samples(text: string): readonly Sample[] {
  return text.split("\n").flatMap((line) => {
    const [, name, labels = "", value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) return [];
    const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]);
    return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }];
  });
}

const sum = (all: readonly Sample[], name: string) =>
  all.filter((sample) => sample.name === name).reduce((total, { value }) => total + value, 0);

describe("the gateway's metrics", () => {
  test("have LiteLLM's names, each with the labels that LiteLLM gives it", async () => {
    const metrics = gatewayMetrics({ sources });
    metrics.ended(report);
    metrics.ended({ ...report, entry: { ...entry, outcome: "failed", status: 500, errorCode: "model_overloaded" } });
    const usage = { ...NO_TOKENS, cacheWriteTokens: 1, inputAudioTokens: 1, outputAudioTokens: 1 };
    metrics.ended({ ...report, entry: { ...entry, outcome: "cached", usage } });
    metrics.rested(PLACE);
    metrics.tried(PLACE, { ok: true, status: 200, errorCode: "", group: "gpt" });
    metrics.tried(PLACE, { ok: false, status: 500, errorCode: "model_overloaded", group: "gpt" });
    metrics.fellBack("gpt", "other", true);
    metrics.fellBack("gpt", "other", false);
    const found = new Map(
      samples((await metrics.text()).text).map(({ name, labels }) => [
        name.replace(/_(?:total|bucket|sum|count)$/, ""),
        Object.keys(labels).filter((label) => label !== "le"),
      ]),
    );
    const wanted = Object.entries(LITELLM_LABELS).filter(([name]) => name !== "litellm_zero_cost_requests_total");
    for (const [name, labels] of wanted) {
      expect([name, found.get(name)?.toSorted()]).toEqual([name, (labels ?? []).toSorted()]);
    }
  });

  test("count what calls used, cost and took", async () => {
    const metrics = gatewayMetrics({ sources });
    metrics.ended(report);
    metrics.ended(report);
    metrics.redacted(3);
    metrics.wrongKey();
    metrics.wrongKey();
    const all = samples((await metrics.text()).text);
    expect({
      calls: sum(all, "litellm_proxy_total_requests_metric_total"),
      failed: sum(all, "litellm_proxy_failed_requests_metric_total"),
      spend: sum(all, "litellm_spend_metric_total"),
      input: sum(all, "litellm_input_tokens_metric_total"),
      output: sum(all, "litellm_output_tokens_metric_total"),
      total: sum(all, "litellm_total_tokens_metric_total"),
      cached: sum(all, "litellm_input_cached_tokens_metric_total"),
      misses: sum(all, "litellm_cache_misses_metric_total"),
      retries: sum(all, "handrail_gateway_retries_total"),
      redacted: sum(all, "handrail_gateway_redacted_total"),
      wrongKeys: sum(all, "handrail_gateway_wrong_keys_total"),
      seconds: sum(all, "litellm_request_total_latency_metric_sum"),
      firstByte: sum(all, "litellm_llm_api_time_to_first_token_metric_sum"),
      inFlight: sum(all, "litellm_in_flight_requests"),
      backlog: sum(all, "handrail_gateway_settlement_backlog"),
      resting: all.filter(({ name }) => name === "litellm_deployment_state").map(({ value }) => value),
    }).toEqual({
      calls: 2,
      failed: 0,
      spend: 0.5,
      input: 240,
      output: 20,
      total: 260,
      cached: 40,
      misses: 2,
      retries: 2,
      redacted: 3,
      wrongKeys: 2,
      seconds: 0.6,
      firstByte: 0.08,
      inFlight: 2,
      backlog: 3,
      resting: [2, 0],
    });
    const buckets = all.filter(({ name }) => name === "litellm_llm_api_time_to_first_token_metric_bucket");
    expect(buckets.map(({ labels, value }) => [labels["le"], value]).slice(2, 5)).toEqual([
      ["0.025", 0],
      ["0.05", 2],
      ["0.1", 2],
    ]);
  });

  test("stay few and complete, whoever calls with however many keys and names", async () => {
    const metrics = gatewayMetrics({ sources, maxLines: 10 });
    for (let index = 0; index < 500; index += 1) {
      const many = { ...entry, upstreamModel: `m${index}`, ownerId: `u${index}` };
      metrics.ended({ ...report, entry: many, key: { hash: `h${index}`, name: 'a "quoted"\nname' } });
    }
    const { text } = await metrics.text();
    const all = samples(text);
    expect(sum(all, "litellm_proxy_total_requests_metric_total")).toBe(500);
    expect(all.filter(({ name }) => name === "litellm_spend_metric_total").length).toBeLessThanOrEqual(21);
  });

  test("keep the keys of conversations together, and the names that a wildcard let through", async () => {
    const metrics = gatewayMetrics({ sources });
    for (const upstreamModel of ["a", "b"]) {
      const { key: _, ...own } = report;
      metrics.ended({ ...own, group: "openai/*", entry: { ...entry, upstreamModel } });
    }
    const spend = samples((await metrics.text()).text).filter(({ name }) => name === "litellm_spend_metric_total");
    expect(spend.map(({ labels, value }) => [labels["hashed_api_key"], labels["model"], value])).toEqual([
      ["conversation", "openai/*", 0.5],
    ]);
  });
});
