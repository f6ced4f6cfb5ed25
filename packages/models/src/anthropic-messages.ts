import type { ModelRequest, ModelTool } from "@handrail/core/ports/model";
import { anthropicDecoder } from "./anthropic-decoder.ts";
import { anthropicTurns, CACHE_MARK, marked } from "./anthropic-turns.ts";
import { endpoint } from "./base-url.ts";
import type { Dialect } from "./dialect.ts";
import type { ApiSetting } from "./openai-chat.ts";

/** How thinking is asked for: newer models decide for themselves, older ones take a budget, others have none. */
type Thinking = "adaptive" | "enabled" | "off";

const THINKING_BUDGET = 4096;
const VERSION = "2023-06-01";

/**
 * Anthropic Messages, streaming (platform.claude.com/docs/en/api/messages). The base URL may end in `/v1` or not.
 *
 * Cache marks are on the system prompt, the last tool and the last two user turns: each step reads what the step before
 * wrote. Apart from the marks, which are no part of what is cached, earlier messages stay the same bytes.
 */
export function anthropicMessages(setting: ApiSetting): Dialect {
  const owner = { dialect: "anthropic", model: setting.model };
  const url = endpoint(
    setting.baseUrl,
    /\/v1\/*$/.test(new URL(setting.baseUrl).pathname) ? "/messages" : "/v1/messages",
  );
  let thinking = thinkingOf(setting.model);
  return {
    toHttp: (request) => ({
      url,
      headers: {
        "anthropic-version": VERSION,
        ...(setting.apiKey ? { "x-api-key": setting.apiKey } : {}),
        "x-litellm-session-id": request.conversationId,
      },
      body: JSON.stringify({
        model: setting.model,
        stream: true,
        ...thinkingField(thinking, request),
        ...systemOf(request),
        ...toolsOf(request),
        messages: marked(anthropicTurns(request.messages, owner)),
        max_tokens: request.maxOutputTokens,
      }),
    }),
    decoder: () => anthropicDecoder(owner),
    adapt(problem) {
      if (thinking === "off" || !/thinking|budget_tokens/i.test(problem)) return false;
      thinking = thinking === "adaptive" ? "enabled" : "off";
      return true;
    },
  };
}

/** What a model's name says of its thinking; what the API refuses is taken back later. */
function thinkingOf(model: string): Thinking {
  if (!/claude/.test(model) || /claude-(?:3-[05]|3-(?:opus|sonnet|haiku)|2|instant)/.test(model)) return "off";
  return /claude-(?:3-7|(?:opus|sonnet|haiku)-4(?:-[0-5])?(?!-?\d))|claude-(?:opus|sonnet|haiku)-4(?:-[015])?-20\d{6}/.test(
    model,
  )
    ? "enabled"
    : "adaptive";
}

function thinkingField(thinking: Thinking, { maxOutputTokens }: ModelRequest): object {
  if (thinking === "adaptive") return { thinking: { type: "adaptive" } };
  if (thinking === "off" || maxOutputTokens < 2 * THINKING_BUDGET) return {};
  return { thinking: { type: "enabled", budget_tokens: THINKING_BUDGET } };
}

function systemOf({ system }: ModelRequest): object {
  return system.trim() === "" ? {} : { system: [{ type: "text", text: system, ...CACHE_MARK }] };
}

function toolsOf({ tools }: ModelRequest): object {
  if (tools.length === 0) return {};
  return { tools: tools.map((tool, index) => toTool(tool, index === tools.length - 1)) };
}

function toTool({ name, description, parameters }: ModelTool, last: boolean): object {
  return { name, description, input_schema: parameters, ...(last ? CACHE_MARK : {}) };
}
