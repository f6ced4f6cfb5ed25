import type { EmbeddingModelV4, LanguageModelV4 } from "@ai-sdk/provider";
import { parseJson } from "@handrail/models/json";
import { AppError } from "@handrail/protocol/errors";
import type { Deployment, Provider } from "../ports/deployment.ts";

/** The models of one AI SDK provider. */
export type SdkModels = {
  language(model: string): LanguageModelV4;
  embedding(model: string): EmbeddingModelV4;
};

/** How a provider of the AI SDK is loaded for a deployment. Nothing is loaded before the first call. */
export type LoadSdk = (deployment: Deployment) => Promise<SdkModels>;

const LOADERS: Readonly<Partial<Record<Provider, LoadSdk>>> = {
  google: async (deployment) => {
    const { createGoogle } = await import("@ai-sdk/google");
    const google = createGoogle({ ...common(deployment), ...keyOf(deployment) });
    return { language: (model) => google(model), embedding: (model) => google.embeddingModel(model) };
  },
  vertex: async (deployment) => {
    if (isClaude(deployment.model)) return vertexClaude(deployment);
    const { createGoogleVertex } = await import("@ai-sdk/google-vertex");
    const vertex = createGoogleVertex({ ...common(deployment), ...vertexAccess(deployment) });
    return { language: (model) => vertex(model), embedding: (model) => vertex.embeddingModel(model) };
  },
  bedrock: async (deployment) => {
    const { createAmazonBedrock } = await import("@ai-sdk/amazon-bedrock");
    const bedrock = createAmazonBedrock({ ...common(deployment), ...awsAccess(deployment) });
    return { language: (model) => bedrock(model), embedding: (model) => bedrock.embeddingModel(model) };
  },
  mistral: async (deployment) => {
    const { createMistral } = await import("@ai-sdk/mistral");
    const mistral = createMistral({ ...common(deployment), ...keyOf(deployment) });
    return { language: (model) => mistral(model), embedding: (model) => mistral.embeddingModel(model) };
  },
};

/** Whether a provider is reached through the AI SDK. */
export function hasSdk(provider: Provider): boolean {
  return provider in LOADERS;
}

/** Loads each deployment's provider once. */
export function sdkLoader(): LoadSdk {
  const loaded = new WeakMap<Deployment, Promise<SdkModels>>();
  return (deployment) => {
    const known = loaded.get(deployment);
    if (known) return known;
    const load = LOADERS[deployment.provider];
    if (!load) throw new AppError("config_invalid", `The provider ${deployment.provider} has no SDK.`);
    const models = load(deployment);
    loaded.set(deployment, models);
    return models;
  };
}

/** Anthropic's models on Vertex, which has a way of its own for them. */
export function isClaude(model: string): boolean {
  return model.startsWith("claude");
}

async function vertexClaude(deployment: Deployment): Promise<SdkModels> {
  const { createGoogleVertexAnthropic } = await import("@ai-sdk/google-vertex/anthropic");
  const { apiKey } = deployment;
  const token = apiKey === undefined || apiKey.startsWith("{") ? {} : { generateAuthToken: async () => apiKey };
  const vertex = createGoogleVertexAnthropic({ ...common(deployment), ...vertexAccess(deployment), ...token });
  return { language: (model) => vertex(model), embedding: (model) => vertex.embeddingModel(model) };
}

function common({ baseUrl, headers }: Deployment): { baseURL?: string; headers?: Record<string, string> } {
  return {
    ...(baseUrl === undefined ? {} : { baseURL: baseUrl.replace(/\/+$/, "") }),
    ...(headers === undefined ? {} : { headers: { ...headers } }),
  };
}

function keyOf({ apiKey }: Deployment): { apiKey?: string } {
  return apiKey === undefined ? {} : { apiKey };
}

/** A service account's JSON, or a key of Vertex in express mode. Without either the machine's own identity counts. */
function vertexAccess(deployment: Deployment): object {
  const { apiKey, project, region } = deployment;
  const account = apiKey === undefined ? undefined : parseJson(apiKey);
  const place = {
    ...(project === undefined ? {} : { project }),
    ...(region === undefined ? {} : { location: region }),
  };
  if (typeof account !== "object" || account === null) return { ...place, ...keyOf(deployment) };
  return { ...place, googleAuthOptions: { credentials: account } };
}

/** A Bedrock key, or the parts of an AWS access key. */
function awsAccess(deployment: Deployment): object {
  const [accessKeyId, secretAccessKey, sessionToken] = deployment.apiKey?.split(":") ?? [];
  const named = /bedrock-runtime\.([a-z0-9-]+)\./.exec(deployment.baseUrl ?? "")?.[1];
  const region = deployment.region ?? named;
  const place = region === undefined ? {} : { region };
  if (secretAccessKey === undefined) return { ...place, ...keyOf(deployment) };
  return { ...place, accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}
