import type { Deployment, Provider } from "../ports/deployment.ts";
import { defined } from "./defined.ts";
import type { ListContext } from "./deployments.ts";
import type { Prefix } from "./providers.ts";
import { NO_SECTION, type Section } from "./section.ts";

type Spoken = Prefix & { readonly prefix: string; readonly model: string };
type Access = Pick<Deployment, "provider" | "model"> &
  Partial<Pick<Deployment, "baseUrl" | "apiKey" | "apiVersion" | "region" | "project" | "headers" | "formats">>;

/** Where a model is and what opens it: the entry's own parameters, its credential's, then LiteLLM's variables. */
export function accessOf(params: Section, spoken: Spoken, context: ListContext): Access {
  const credential = context.credentials.get(params.text("litellm_credential_name") ?? "") ?? NO_SECTION;
  const text = (key: string) => params.text(key) ?? credential.text(key);
  const given = ["api_base", "base_url", "aws_bedrock_runtime_endpoint"].map(text).find((url) => url);
  const variable = context.environment[spoken.baseVariable ?? ""];
  const baseUrl = trimmed(given ?? variable) ?? spoken.baseUrl;
  const provider = providerAt(spoken.provider, baseUrl);
  return {
    provider,
    model: modelOf(spoken),
    ...defined({
      baseUrl,
      apiKey: keyOf(provider, text, context) ?? text("api_key") ?? firstSet(spoken, given, context),
      ...placeOf(provider, text, context),
      headers: headersOf(params),
      formats: params.flag("use_chat_completions_api") === true ? (["chat"] as const) : undefined,
    }),
  };
}

type Read = (key: string) => string | undefined;

const AT_ANY_ADDRESS: readonly Provider[] = ["azure", "ollama", "vllm", "litellm"];

/** A key of OpenAI's is not sent elsewhere because a file names another address and no key. */
function firstSet(
  { provider, keyVariables = [] }: Spoken,
  address: string | undefined,
  { environment }: ListContext,
): string | undefined {
  if (address !== undefined && !AT_ANY_ADDRESS.includes(provider)) return undefined;
  return keyVariables.map((name) => environment[name]).find((value) => value !== undefined && value !== "");
}

/** `openai/` with another address is how LiteLLM's users name any server that speaks OpenAI's format. */
function providerAt(provider: Provider, baseUrl: string | undefined): Provider {
  if (provider !== "openai" || baseUrl === undefined) return provider;
  const host = URL.parse(baseUrl)?.hostname ?? "";
  return host === "openai.com" || host.endsWith(".openai.com") ? "openai" : "openai_compatible";
}

function modelOf({ prefix, model }: Spoken): string {
  return prefix === "bedrock" ? model.replace(/^(converse|converse_like|invoke)\//, "") : model;
}

function keyOf(provider: Provider, text: Read, context: ListContext): string | undefined {
  if (provider === "vertex") return serviceAccount(text("vertex_credentials"), context);
  if (provider !== "bedrock") return undefined;
  const parts = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"].map(
    (key) => text(key) ?? context.environment[key.toUpperCase()],
  );
  const [id, secret, token] = parts;
  if (!id || !secret) return undefined;
  return token ? `${id}:${secret}:${token}` : `${id}:${secret}`;
}

function serviceAccount(value: string | undefined, context: ListContext): string | undefined {
  const given = value ?? context.environment["GOOGLE_APPLICATION_CREDENTIALS"];
  if (given === undefined || given.trimStart().startsWith("{")) return given;
  return context.read(given);
}

/** What the large clouds want to know besides. */
function placeOf(provider: Provider, text: Read, { environment }: ListContext): Partial<Access> {
  const first = (keys: readonly string[], variables: readonly string[]) =>
    [...keys.map(text), ...variables.map((name) => environment[name])].find((value) => value);
  switch (provider) {
    case "azure":
      return defined({ apiVersion: first(["api_version"], ["AZURE_API_VERSION"]) });
    case "vertex":
      return defined({
        region: first(["vertex_location", "region_name"], ["VERTEXAI_LOCATION"]),
        project: first(["vertex_project"], ["VERTEXAI_PROJECT"]),
      });
    case "bedrock":
      return defined({ region: first(["aws_region_name", "region_name"], ["AWS_REGION_NAME", "AWS_REGION"]) });
    default:
      return {};
  }
}

function headersOf(params: Section): Readonly<Record<string, string>> | undefined {
  const sections = [params.section("headers"), params.section("extra_headers")].flatMap((section) => section ?? []);
  const organization = params.text("organization");
  const pairs = sections.flatMap((section) =>
    section.keys.flatMap((key) => {
      const value = section.text(key);
      return value === undefined ? [] : [[key.toLowerCase(), value] as const];
    }),
  );
  if (organization !== undefined) pairs.push(["openai-organization", organization]);
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

function trimmed(url: string | undefined): string | undefined {
  return url?.replace(/\/+$/, "") || undefined;
}
