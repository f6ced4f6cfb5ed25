import type { ModelRequest, ModelTool } from "@handrail/core/ports/model";
import { endpoint } from "./base-url.ts";
import type { Dialect } from "./dialect.ts";
import { openAiDecoder } from "./openai-decoder.ts";
import { openAiMessages } from "./openai-messages.ts";

export type ApiSetting = {
  /** As the user gave it; nothing is added but the API's own path. */
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly model: string;
};

/** What a server may refuse, and what it is left with then. */
type Form = { readonly maxTokens: "max_tokens" | "max_completion_tokens"; readonly streamOptions: boolean };

/**
 * OpenAI Chat Completions, streaming (platform.openai.com/docs/api-reference/chat), as every compatible server speaks it:
 * LiteLLM, Ollama, vLLM, OpenRouter and others. What a server refuses is left out from then on.
 */
export function openAiChat(setting: ApiSetting): Dialect {
  const owner = { dialect: "openai", model: setting.model };
  const url = endpoint(setting.baseUrl, "/chat/completions");
  const openAi = new URL(url).hostname === "api.openai.com";
  let form: Form = { maxTokens: openAi ? "max_completion_tokens" : "max_tokens", streamOptions: true };
  return {
    toHttp: (request) => ({
      url,
      headers: {
        ...(setting.apiKey ? { authorization: `Bearer ${setting.apiKey}` } : {}),
        "x-litellm-session-id": request.conversationId,
      },
      body: JSON.stringify({
        model: setting.model,
        stream: true,
        ...(form.streamOptions ? { stream_options: { include_usage: true } } : {}),
        ...(openAi ? { prompt_cache_key: request.conversationId } : {}),
        ...toolsOf(request),
        messages: openAiMessages(request, owner),
        [form.maxTokens]: request.maxOutputTokens,
      }),
    }),
    decoder: () => openAiDecoder(owner),
    adapt(problem) {
      const next = adapted(form, problem);
      if (!next) return false;
      form = next;
      return true;
    },
  };
}

function adapted(form: Form, problem: string): Form | undefined {
  if (form.streamOptions && problem.includes("stream_options")) return { ...form, streamOptions: false };
  const refused = /unsupported|not supported|unrecognized|unknown|unexpected|extra|not permitted|instead/i.test(
    problem,
  );
  if (!refused || !new RegExp(`\\b${form.maxTokens}\\b`).test(problem)) return undefined;
  return { ...form, maxTokens: form.maxTokens === "max_tokens" ? "max_completion_tokens" : "max_tokens" };
}

function toolsOf({ tools }: ModelRequest): object {
  return tools.length === 0 ? {} : { tools: tools.map(toTool) };
}

function toTool({ name, description, parameters }: ModelTool): object {
  return { type: "function", function: { name, description, parameters } };
}
