import type { Deployment, Provider } from "../ports/deployment.ts";
import type { Format } from "../ports/format.ts";

const OPENAI: readonly Format[] = ["chat", "responses", "embeddings"];
const COMPATIBLE: readonly Format[] = ["chat", "embeddings"];

/** What each provider's own API speaks. Those with none have a library of their own. */
const USUAL: Readonly<Record<Provider, readonly Format[]>> = {
  openai: OPENAI,
  azure: OPENAI,
  anthropic: ["messages"],
  google: COMPATIBLE,
  vertex: [],
  bedrock: [],
  mistral: [],
  groq: COMPATIBLE,
  openrouter: COMPATIBLE,
  deepseek: ["chat"],
  ollama: COMPATIBLE,
  vllm: COMPATIBLE,
  litellm: ["chat", "responses", "messages", "embeddings"],
  openai_compatible: COMPATIBLE,
};

/** The formats that a deployment speaks. Google's own API is another than the one that speaks OpenAI's, below `/openai`. */
export function formatsOf({ formats, provider, baseUrl }: Spoken): readonly Format[] {
  if (formats !== undefined) return formats;
  return provider === "google" && baseUrl !== undefined && !/\/openai\/*$/.test(baseUrl) ? [] : USUAL[provider];
}

type Spoken = Pick<Deployment, "formats" | "provider" | "baseUrl">;
