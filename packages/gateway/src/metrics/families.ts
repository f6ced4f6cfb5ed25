import type { CallLabels, CallLine } from "./call-lines.ts";
import type { Histogram } from "./histogram.ts";

/** A label's name in the output, and where its value comes from; undefined: always empty, kept so that queries by it work. */
export type Label = readonly [name: string, from?: keyof CallLabels];

/** A metric made of lines. A line adds nothing where the value is undefined or 0. */
export type Family = {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Label[];
} & (
  | { readonly type: "counter"; readonly value: (line: CallLine) => number }
  | { readonly type: "histogram"; readonly value: (line: CallLine) => Histogram }
);

const KEY: readonly Label[] = [
  ["hashed_api_key", "hashedApiKey"],
  ["api_key_alias", "apiKeyAlias"],
];
const TEAM: readonly Label[] = [
  ["team", "team"],
  ["team_alias", "teamAlias"],
];
const PLACE: readonly Label[] = [
  ["model_id", "modelId"],
  ["api_provider", "apiProvider"],
];
const WHERE: readonly Label[] = [["litellm_model_name", "model"], ["api_base", "apiBase"], ...PLACE];
const ORGANIZATION: readonly Label[] = [["org_id"], ["org_alias"]];
const ASKED: Label = ["requested_model", "modelGroup"];
const GROUP: Label = ["model_group", "modelGroup"];
const MODEL: Label = ["model", "model"];
const USER: Label = ["user", "user"];
const END_USER: Label = ["end_user"];
const EMAIL: Label = ["user_email"];
const CLIENT: readonly Label[] = [["client_ip"], ["user_agent"]];
const FAILURE: readonly Label[] = [
  ["exception_status", "statusCode"],
  ["exception_class", "exceptionClass"],
];

const CALLER = [END_USER, ...KEY, ...TEAM, USER] as const;
const PROXY = [...CALLER, EMAIL, ASKED, ["route", "route"] as const, ...CLIENT, ...PLACE, ...ORGANIZATION] as const;
const DETAIL = [...CALLER, EMAIL, MODEL, ASKED, ...PLACE] as const;
const TOKENS = [...DETAIL, ...ORGANIZATION] as const;
const TIMES = [...CALLER, GROUP, ASKED, MODEL, ...PLACE, ["service_tier"] as const, ...ORGANIZATION] as const;
const AT_PLACE = [GROUP, ASKED, ...WHERE, ...KEY, ...TEAM, ...CLIENT] as const;
const CACHE = [MODEL, ...CALLER, ...PLACE] as const;
const OWN: readonly Label[] = [
  ["model", "modelGroup"],
  ["provider", "apiProvider"],
];

type Sum = keyof CallLine["sums"];

const counter = (name: string, sum: Sum, help: string, labels: readonly Label[]): Family => ({
  type: "counter",
  name,
  help,
  labels,
  value: (line) => line.sums[sum],
});

type Time = "total" | "upstream" | "firstByte" | "overhead";

const histogram = (name: string, time: Time, help: string, labels: readonly Label[]): Family => ({
  type: "histogram",
  name,
  help,
  labels,
  value: (line) => line[time],
});

/** LiteLLM's metrics of calls, under its names and with its labels. */
const LITELLM: readonly Family[] = [
  counter("litellm_proxy_total_requests_metric", "calls", "Calls.", [...PROXY, ["status_code", "statusCode"]]),
  counter("litellm_proxy_failed_requests_metric", "failed", "Calls that failed.", [...PROXY, ...FAILURE]),
  counter("litellm_spend_metric", "costUsd", "US dollars spent.", [...TOKENS, ...CLIENT, ["service_tier"]]),
  counter("litellm_input_tokens_metric", "promptTokens", "Tokens of prompts.", TOKENS),
  counter("litellm_output_tokens_metric", "answerTokens", "Tokens of answers.", TOKENS),
  {
    type: "counter",
    name: "litellm_total_tokens_metric",
    help: "Tokens of prompts and answers.",
    labels: TOKENS,
    value: ({ sums }) => sums.promptTokens + sums.answerTokens,
  },
  counter("litellm_input_cached_tokens_metric", "cacheReadTokens", "Tokens read from providers' caches.", DETAIL),
  counter("litellm_input_cache_creation_tokens_metric", "cacheWriteTokens", "Tokens written to them.", DETAIL),
  counter("litellm_input_audio_tokens_metric", "audioInTokens", "Tokens of sound in prompts.", DETAIL),
  counter("litellm_output_audio_tokens_metric", "audioOutTokens", "Tokens of sound in answers.", DETAIL),
  counter("litellm_output_reasoning_tokens_metric", "reasoningTokens", "Tokens of reasoning.", DETAIL),
  histogram("litellm_request_total_latency_metric", "total", "Seconds from request to the answer's end.", TIMES),
  histogram("litellm_llm_api_latency_metric", "upstream", "Seconds that the provider took.", TIMES),
  histogram("litellm_llm_api_time_to_first_token_metric", "firstByte", "Seconds to a stream's first byte.", TIMES),
  histogram("litellm_overhead_latency_metric", "overhead", "Seconds that the gateway added.", [
    GROUP,
    ...WHERE,
    ...KEY,
  ]),
  {
    type: "counter",
    name: "litellm_deployment_total_requests",
    help: "Calls that reached a deployment.",
    labels: AT_PLACE,
    value: ({ sums }) => sums.succeededThere + sums.failedThere,
  },
  counter("litellm_deployment_success_responses", "succeededThere", "Its answers.", AT_PLACE),
  counter("litellm_deployment_failure_responses", "failedThere", "Its failures.", [...AT_PLACE, ...FAILURE]),
  counter("litellm_cache_hits_metric", "cacheHits", "Answers from the gateway's cache.", CACHE),
  counter("litellm_cache_misses_metric", "cacheMisses", "Answers that it did not have.", CACHE),
  counter("litellm_cached_tokens_metric", "cachedTokens", "Tokens of answers from it.", CACHE),
];

/** Handrail's own. */
const HANDRAIL: readonly Family[] = [
  counter("handrail_gateway_unpriced_calls", "unpriced", "Calls whose price is not known.", [
    ...OWN,
    ["upstream_model", "model"],
  ]),
  counter("handrail_gateway_estimated_calls", "estimated", "Calls whose use was counted from text.", OWN),
  counter("handrail_gateway_saved_usd", "savedUsd", "US dollars that the cache saved.", OWN),
  counter("handrail_gateway_retries", "retries", "Further tries of calls.", OWN),
];

/** Everything that is counted by call, in the order of the output. */
export const FAMILIES: readonly Family[] = [...LITELLM, ...HANDRAIL];
