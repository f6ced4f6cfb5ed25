import { createHash } from "node:crypto";
import { AppError } from "@handrail/protocol/errors";
import type { Deployment, PriceOverrides } from "../ports/deployment.ts";
import { defined } from "./defined.ts";
import { perMillion } from "./per-million.ts";
import { PREFIXES, PROVIDER_NAMES, splitModel } from "./providers.ts";
import type { Section } from "./section.ts";
import { accessOf } from "./access.ts";

/** What the entries of a `model_list` have in common. */
export type ListContext = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `credential_list`, by name. */
  readonly credentials: ReadonlyMap<string, Section>;
  /** The text of a file that the configuration names, such as a service account's. */
  readonly read: (file: string) => string;
  readonly warn: (sentence: string) => void;
  readonly timeoutMs?: number;
  readonly streamTimeoutMs?: number;
};

const SERVED_MODES: Readonly<Record<string, "chat" | "embedding">> = {
  chat: "chat",
  completion: "chat",
  responses: "chat",
  embedding: "embedding",
};

/** The places of a `model_list`. Entries that cannot be served are warned about and left out. */
export function deploymentsOf(entries: readonly Section[], context: ListContext): readonly Deployment[] {
  const found = entries.flatMap((entry) => {
    const deployment = deploymentOf(entry, context);
    if (deployment === undefined) return [];
    return deployment.name === "*" && deployment.model === "*" && deployment.baseUrl === undefined
      ? everyProvider(deployment, context)
      : [deployment];
  });
  const seen = new Map<string, number>();
  return found.map((deployment) => {
    const times = seen.get(deployment.id) ?? 0;
    seen.set(deployment.id, times + 1);
    return times === 0 ? deployment : { ...deployment, id: `${deployment.id}-${times + 1}` };
  });
}

function deploymentOf(entry: Section, context: ListContext): Deployment | undefined {
  const name = required(entry, "model_name");
  const params = entry.section("litellm_params");
  if (params === undefined) throw new AppError("config_invalid", `${entry.place} has no litellm_params.`);
  const model = required(params, "model");
  const split = splitModel(model, params.text("custom_llm_provider"));
  const prefix = split && PREFIXES[split.prefix];
  const info = entry.section("model_info");
  const mode = modeOf(entry, info, context);
  if (!servable(entry, name, context)) return undefined;
  if (mode === undefined) return undefined;
  if (split === undefined || prefix === undefined) {
    context.warn(`${params.place}: the provider of ${model} is not served; the entry is left out.`);
    return undefined;
  }
  const deployment: Omit<Deployment, "id"> = {
    name,
    ...accessOf(params, { ...split, ...prefix }, context),
    ...limitsOf(params, context),
    ...factsOf(params, info),
    mode,
  };
  const id = info?.text("id") ?? idOf(deployment);
  ignoreKnown(entry, params, info);
  return { id, ...deployment };
}

/**
 * `model_name: "*"` for `model: "*"`: any name whose prefix or beginning says which provider it is, where that provider's
 * variable is set. The rest is the entry's own provider's.
 */
function everyProvider(entry: Deployment, { environment }: ListContext): readonly Deployment[] {
  const places = PROVIDER_NAMES.flatMap(({ prefix, name, model }) => {
    const { provider, baseUrl, keyVariables = [] } = PREFIXES[prefix] ?? { provider: entry.provider };
    const apiKey = keyVariables.map((variable) => environment[variable]).find((value) => value);
    if (apiKey === undefined) return [];
    const place = { ...entry, name, model, provider, apiKey, ...defined({ baseUrl }) };
    return [{ ...place, id: idOf(place) }];
  });
  return [...places, entry];
}

function required(section: Section, key: string): string {
  const text = section.text(key);
  if (text === undefined || text === "") throw new AppError("config_invalid", `${section.place} has no ${key}.`);
  if (text.length > 512)
    throw new AppError("config_invalid", `${section.place}: ${key} is longer than 512 characters.`);
  return text;
}

function servable(entry: Section, name: string, context: ListContext): boolean {
  if (!name.slice(0, -1).includes("*")) return true;
  context.warn(`${entry.place}: a * is understood only at the end of a model_name; the entry is left out.`);
  return false;
}

function modeOf(entry: Section, info: Section | undefined, context: ListContext): "chat" | "embedding" | undefined {
  const mode = info?.text("mode") ?? "chat";
  const served = Object.hasOwn(SERVED_MODES, mode) ? SERVED_MODES[mode] : undefined;
  if (served === undefined) context.warn(`${entry.place}: the mode ${mode} is not served; the entry is left out.`);
  return served;
}

function limitsOf(params: Section, context: ListContext): Partial<Deployment> {
  const seconds = (key: string) => {
    const value = params.number(key);
    return value === undefined ? undefined : Math.round(value * 1000);
  };
  return defined({
    weight: params.number("weight"),
    requestsPerMinute: params.number("rpm"),
    tokensPerMinute: params.number("tpm"),
    timeoutMs: seconds("timeout") ?? context.timeoutMs,
    streamTimeoutMs: seconds("stream_timeout") ?? context.streamTimeoutMs,
    maxRetries: params.number("max_retries") ?? params.number("num_retries"),
  });
}

const PRICES: Readonly<Record<keyof PriceOverrides, string>> = {
  inputUsdPerMillion: "input_cost_per_token",
  outputUsdPerMillion: "output_cost_per_token",
  cacheReadUsdPerMillion: "cache_read_input_token_cost",
  cacheWriteUsdPerMillion: "cache_creation_input_token_cost",
  cacheWriteHourUsdPerMillion: "cache_creation_input_token_cost_above_1hr",
  reasoningUsdPerMillion: "output_cost_per_reasoning_token",
  inputAudioUsdPerMillion: "input_cost_per_audio_token",
  outputAudioUsdPerMillion: "output_cost_per_audio_token",
};

/** Prices and sizes, which LiteLLM takes from either place. */
function factsOf(params: Section, info: Section | undefined): Partial<Deployment> {
  const number = (key: string) => params.number(key) ?? info?.number(key);
  const prices = Object.entries(PRICES).flatMap(([field, key]) => {
    const value = number(key);
    return value === undefined ? [] : [[field, perMillion(value)] as const];
  });
  const base = info?.text("base_model") ?? params.text("base_model");
  return defined({
    prices: prices.length === 0 ? undefined : (Object.fromEntries(prices) as PriceOverrides),
    priceModel: base?.slice(base.indexOf("/") + 1),
    contextTokens: number("max_input_tokens") || number("max_tokens") || undefined,
    maxOutputTokens: number("max_output_tokens") || undefined,
  });
}

/** The same place has the same id after a restart, and on every replica. The key does not count: it may be changed. */
function idOf({ name, provider, model, baseUrl, region }: Omit<Deployment, "id">): string {
  const text = JSON.stringify([name, provider, model, baseUrl, region]);
  return createHash("sha256").update(text).digest("hex").slice(0, 24);
}

/** Keys that say of a model what Handrail does not need to be told. */
function ignoreKnown(entry: Section, params: Section, info: Section | undefined): void {
  info?.ignore("id", "created_at", "updated_at", "created_by", "updated_by", "db_model", "key", "litellm_provider");
  info?.ignore(...(info.keys.filter((key) => key.startsWith("supports_")) ?? []));
  for (const section of [entry, params, info]) section?.warnOfRest();
}
