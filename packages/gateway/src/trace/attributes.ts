import type { Attributes } from "@opentelemetry/api";
import type { Settlement } from "../ports/ledger.ts";
import type { Deployment, Provider } from "../ports/deployment.ts";
import type { Format } from "../ports/format.ts";
import type { CallEnd } from "../ports/observer.ts";
import { answerTokens, promptTokens, type TokenUsage } from "../ports/token-usage.ts";
import type { TracedCall } from "../ports/tracer.ts";

/** What OpenTelemetry calls the providers whose own names differ. */
const PROVIDER_NAMES: Readonly<Partial<Record<Provider, string>>> = {
  azure: "azure.ai.openai",
  bedrock: "aws.bedrock",
  google: "gcp.gemini",
  mistral: "mistral_ai",
  vertex: "gcp.vertex_ai",
};

const providerName = (provider: Provider) => PROVIDER_NAMES[provider] ?? provider;

/** What OpenTelemetry calls what is asked for. */
export const operationOf = (format: Format) => (format === "embeddings" ? "embeddings" : "chat");

export function callAttributes({
  callId,
  model,
  format,
  streamed,
  conversationId,
  route,
  keyId,
}: TracedCall): Attributes {
  return {
    "gen_ai.operation.name": operationOf(format),
    "gen_ai.request.model": model,
    "gen_ai.request.stream": streamed,
    "gen_ai.conversation.id": conversationId,
    "http.request.method": "POST",
    "http.route": route,
    "handrail.call_id": callId,
    "handrail.key_id": keyId,
  };
}

export function endAttributes({ settlement, group, start, lane, cache, model }: CallEnd): Attributes {
  const { status, firstByteMs, retries, fallbacks, upstreamCallId, outcome } = settlement;
  return {
    ...(settlement.provider !== undefined && { "gen_ai.provider.name": providerName(settlement.provider as Provider) }),
    "gen_ai.response.id": upstreamCallId,
    "gen_ai.response.model": model,
    "gen_ai.response.time_to_first_chunk": start.streamed && firstByteMs !== undefined ? firstByteMs / 1000 : undefined,
    ...paid(settlement),
    "error.type": errorOf(settlement),
    "http.response.status_code": status,
    "handrail.outcome": outcome,
    "handrail.model_group": group,
    "handrail.lane": lane,
    "handrail.cache": cache,
    "handrail.retries": retries,
    "handrail.fallbacks": fallbacks,
  };
}

/** Undefined where all went well. */
export function errorOf({ outcome, errorCode }: Pick<Settlement, "outcome" | "errorCode">): string | undefined {
  if (outcome === "ok" || outcome === "cached") return undefined;
  return outcome === "aborted" ? "client_left" : (errorCode ?? outcome);
}

/** An answer from the cache has used nothing. */
function paid({ outcome, usage, costUsd, priced, estimated }: Settlement): Attributes {
  if (outcome === "cached") return { "handrail.cost_usd": 0 };
  return {
    ...tokens(usage),
    "handrail.usage_estimated": estimated,
    "handrail.cost_usd": priced ? costUsd : undefined,
  };
}

function tokens(usage: TokenUsage): Attributes {
  const { cacheReadTokens, cacheWriteTokens, cacheWriteHourTokens, reasoningTokens } = usage;
  return {
    "gen_ai.usage.input_tokens": promptTokens(usage),
    "gen_ai.usage.output_tokens": answerTokens(usage),
    "gen_ai.usage.cache_read.input_tokens": cacheReadTokens,
    "gen_ai.usage.cache_creation.input_tokens": cacheWriteTokens + cacheWriteHourTokens,
    "gen_ai.usage.reasoning.output_tokens": reasoningTokens,
  };
}

export function tryAttributes({ id, provider, model, baseUrl }: Deployment, format: Format): Attributes {
  const url = baseUrl === undefined ? null : URL.parse(baseUrl);
  return {
    "gen_ai.operation.name": operationOf(format),
    "gen_ai.provider.name": providerName(provider),
    "gen_ai.request.model": model,
    "handrail.deployment_id": id,
    ...(url && { "server.address": url.hostname, "server.port": portOf(url) }),
  };
}

const portOf = ({ port, protocol }: URL) => Number(port) || (protocol === "https:" ? 443 : 80);
