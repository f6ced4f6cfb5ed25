import type { ModelProvider } from "@handrail/protocol/gateway";

/** What each provider is called. */
export const PROVIDER_NAMES: Readonly<Record<ModelProvider, string>> = {
  openai: "OpenAI",
  azure: "Azure OpenAI",
  anthropic: "Anthropic",
  google: "Google Gemini",
  vertex: "Google Vertex",
  bedrock: "Amazon Bedrock",
  mistral: "Mistral",
  groq: "Groq",
  openrouter: "OpenRouter",
  deepseek: "DeepSeek",
  ollama: "Ollama",
  vllm: "vLLM",
  litellm: "LiteLLM",
  openai_compatible: "Other, OpenAI-compatible",
};
