import type { Provider } from "../ports/deployment.ts";

/** What a LiteLLM prefix such as `groq/` stands for. */
export type Prefix = {
  readonly provider: Provider;
  /** Where it is, when the provider itself does not say. */
  readonly baseUrl?: string;
  /** Variables in which LiteLLM looks for what the file leaves out. */
  readonly keyVariables?: readonly string[];
  readonly baseVariable?: string;
};

const compatible = (baseUrl: string, ...keyVariables: readonly string[]): Prefix => ({
  provider: "openai_compatible",
  baseUrl,
  keyVariables,
});
const local = (provider: Provider, name: string): Prefix => ({
  provider,
  keyVariables: [`${name}_API_KEY`],
  baseVariable: `${name}_API_BASE`,
});

/** The prefixes of `litellm_params.model`, as of LiteLLM 1.106 (docs.litellm.ai/docs/providers). */
export const PREFIXES: Readonly<Record<string, Prefix>> = {
  openai: { provider: "openai", keyVariables: ["OPENAI_API_KEY"], baseVariable: "OPENAI_API_BASE" },
  azure: { provider: "azure", keyVariables: ["AZURE_API_KEY"], baseVariable: "AZURE_API_BASE" },
  anthropic: { provider: "anthropic", keyVariables: ["ANTHROPIC_API_KEY"], baseVariable: "ANTHROPIC_API_BASE" },
  gemini: { provider: "google", keyVariables: ["GEMINI_API_KEY", "GOOGLE_API_KEY"] },
  vertex_ai: { provider: "vertex" },
  vertex_ai_beta: { provider: "vertex" },
  bedrock: { provider: "bedrock", keyVariables: ["AWS_BEARER_TOKEN_BEDROCK"] },
  mistral: { provider: "mistral", keyVariables: ["MISTRAL_API_KEY"] },
  groq: { provider: "groq", keyVariables: ["GROQ_API_KEY"] },
  openrouter: { provider: "openrouter", keyVariables: ["OPENROUTER_API_KEY"] },
  deepseek: { provider: "deepseek", keyVariables: ["DEEPSEEK_API_KEY"] },
  ollama: local("ollama", "OLLAMA"),
  ollama_chat: local("ollama", "OLLAMA"),
  hosted_vllm: local("vllm", "HOSTED_VLLM"),
  vllm: local("vllm", "HOSTED_VLLM"),
  litellm_proxy: local("litellm", "LITELLM_PROXY"),
  lm_studio: local("openai_compatible", "LM_STUDIO"),
  llamafile: local("openai_compatible", "LLAMAFILE"),
  openai_like: local("openai_compatible", "OPENAI_LIKE"),
  custom_openai: { provider: "openai_compatible" },
  "text-completion-openai": { provider: "openai", keyVariables: ["OPENAI_API_KEY"] },
  xai: compatible("https://api.x.ai/v1", "XAI_API_KEY"),
  together_ai: compatible("https://api.together.xyz/v1", "TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY"),
  fireworks_ai: compatible("https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
  cerebras: compatible("https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
  nvidia_nim: compatible("https://integrate.api.nvidia.com/v1", "NVIDIA_NIM_API_KEY"),
  sambanova: compatible("https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
  moonshot: compatible("https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
  deepinfra: compatible("https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
};

const BY_NAME: readonly (readonly [RegExp, string])[] = [
  [/^claude-/, "anthropic"],
  [/^gemini-/, "vertex_ai"],
  [/^(mistral|codestral|ministral|magistral|devstral)-/, "mistral"],
  [/^(gpt-|chatgpt-|o\d|text-embedding-|codex-)/, "openai"],
];

/** Wildcards by which a name alone says whose model it is. */
export const PROVIDER_NAMES: readonly { readonly prefix: string; readonly name: string; readonly model: string }[] = [
  ...Object.keys(PREFIXES).map((prefix) => ({ prefix, name: `${prefix}/*`, model: "*" })),
  ...[
    ["anthropic", "claude-"],
    ["mistral", "mistral-"],
    ["openai", "gpt-"],
  ].map(([prefix = "", start = ""]) => ({ prefix, name: `${start}*`, model: `${start}*` })),
];

/**
 * The prefix and the provider's own name of a LiteLLM model. A name without a prefix is told by how it begins; undefined
 * when it cannot be, or the prefix is not served.
 */
export function splitModel(
  model: string,
  custom: string | undefined,
): { readonly prefix: string; readonly model: string } | undefined {
  if (custom !== undefined) {
    const rest = model.startsWith(`${custom}/`) ? model.slice(custom.length + 1) : model;
    return Object.hasOwn(PREFIXES, custom) ? { prefix: custom, model: rest } : undefined;
  }
  const slash = model.indexOf("/");
  const prefix = slash < 0 ? "" : model.slice(0, slash);
  if (Object.hasOwn(PREFIXES, prefix)) return { prefix, model: model.slice(slash + 1) };
  const known = BY_NAME.find(([start]) => start.test(model))?.[1];
  if (known !== undefined) return { prefix: known, model };
  return model === "*" ? { prefix: "openai", model } : undefined;
}
