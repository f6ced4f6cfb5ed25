import type { LiteLlmRouteName } from "@handrail/protocol/litellm-routes";
import type { Deployment, Group } from "../../ports/deployment.ts";
import type { PriceList } from "../../ports/price-list.ts";
import { NO_TOKENS, type TokenUsage } from "../../ports/token-usage.ts";
import type { AdminAnswer, AdminContext, AdminRequest, AdminHandler } from "./admin.ts";

/** LiteLLM's routes about models, and what it tells of their health. */
export const MODEL_ROUTES = {
  "GET /model/info": modelInfo,
  "GET /v1/model/info": modelInfo,
  "GET /model_group/info": groupInfo,
  "GET /health": health,
  "GET /cache/ping": cachePing,
} satisfies Partial<Record<LiteLlmRouteName, AdminHandler>>;

async function modelInfo({ catalog, prices }: AdminContext, request: AdminRequest): Promise<object> {
  const id = request.query.get("litellm_model_id");
  const places = visible(catalog.list(), request).flatMap(({ deployments }) => deployments);
  return { data: places.filter((place) => !id || place.id === id).map((place) => placeInfo(place, prices)) };
}

function visible(groups: readonly Group[], { caller }: AdminRequest): readonly Group[] {
  const names = caller.admin ? undefined : caller.models;
  return names === undefined ? groups : groups.filter(({ name }) => names.some((allowed) => covers(allowed, name)));
}

const covers = (allowed: string, name: string) =>
  allowed === name || (allowed.endsWith("*") && name.startsWith(allowed.slice(0, -1)));

/** Neither keys nor addresses: an address may be of a network that clients are not to know. */
function placeInfo(place: Deployment, prices: PriceList): object {
  return {
    model_name: place.name,
    litellm_params: { model: `${place.provider}/${place.model}` },
    model_info: {
      id: place.id,
      db_model: false,
      mode: place.mode ?? "chat",
      max_tokens: place.maxOutputTokens ?? prices.contextTokens(place) ?? null,
      max_input_tokens: place.contextTokens ?? prices.contextTokens(place) ?? null,
      max_output_tokens: place.maxOutputTokens ?? null,
      litellm_provider: place.provider,
      ...costs(place, prices),
    },
  };
}

const COSTS: Readonly<Record<string, keyof TokenUsage>> = {
  input_cost_per_token: "inputTokens",
  output_cost_per_token: "outputTokens",
  cache_read_input_token_cost: "cacheReadTokens",
  cache_creation_input_token_cost: "cacheWriteTokens",
};

/** US dollars for a token; null where no price is known. */
function costs(place: Deployment, prices: PriceList): Readonly<Record<string, number | null>> {
  const pairs = Object.entries(COSTS).map(([name, bucket]) => [
    name,
    prices.cost(place, { ...NO_TOKENS, [bucket]: 1 }) ?? null,
  ]);
  return Object.fromEntries(pairs) as Record<string, number | null>;
}

async function groupInfo({ catalog, prices }: AdminContext, request: AdminRequest): Promise<object> {
  const wanted = request.query.get("model_group");
  const groups = visible(catalog.list(), request).filter(({ name }) => !wanted || name === wanted);
  return {
    data: groups.map(({ name, deployments }) => {
      const [first] = deployments;
      const contexts = deployments.flatMap((place) => place.contextTokens ?? prices.contextTokens(place) ?? []);
      return {
        model_group: name,
        providers: [...new Set(deployments.map(({ provider }) => provider))],
        max_input_tokens: contexts.length === 0 ? null : Math.max(...contexts),
        max_output_tokens: first?.maxOutputTokens ?? null,
        mode: first?.mode ?? "chat",
        ...(first ? costs(first, prices) : {}),
      };
    }),
  };
}

/** LiteLLM asks each model a question for this, which costs; here it is how their last calls went. */
async function health({ standings }: AdminContext): Promise<object> {
  const endpoint = ({ deployment, lastError }: ReturnType<typeof standings>[number]) => ({
    model: `${deployment.provider}/${deployment.model}`,
    model_name: deployment.name,
    model_id: deployment.id,
    ...(lastError !== undefined && { error: lastError }),
  });
  const all = standings();
  const healthy = all.filter(({ state }) => state === "ok").map(endpoint);
  const unhealthy = all.filter(({ state }) => state !== "ok").map(endpoint);
  return {
    healthy_endpoints: healthy,
    unhealthy_endpoints: unhealthy,
    healthy_count: healthy.length,
    unhealthy_count: unhealthy.length,
    note: "No model was called for this. It says how the last calls went.",
  };
}

async function cachePing({ cache }: AdminContext): Promise<object | AdminAnswer> {
  if (cache === undefined) return { status: 503, body: { status: "unhealthy", error: "Answers are not cached." } };
  const trouble = cache.trouble();
  if (trouble !== undefined)
    return { status: 503, body: { status: "unhealthy", cache_type: cache.kind, error: trouble } };
  return { status: "healthy", cache_type: cache.kind, ping_response: true, set_cache_response: "success" };
}
