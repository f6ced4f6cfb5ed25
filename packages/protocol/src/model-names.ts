/** Who makes or serves a model. `openai_compatible` is any other server that speaks Chat Completions. */
export const MODEL_PROVIDERS = [
  "openai",
  "azure",
  "anthropic",
  "google",
  "vertex",
  "bedrock",
  "mistral",
  "groq",
  "openrouter",
  "deepseek",
  "ollama",
  "vllm",
  "litellm",
  "openai_compatible",
] as const;

/** The wire formats that one model of the settings can have. */
export const MODEL_DIALECTS = ["openai", "anthropic", "google", "bedrock"] as const;
