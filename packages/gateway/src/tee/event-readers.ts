import { at, listAt, textAt } from "@handrail/models/json";
import { chatUsage, costIn, messagesUsage, responsesUsage } from "../codecs/usage.ts";
import type { ChatFormat } from "../ports/format.ts";
import type { TokenUsage } from "../ports/token-usage.ts";

/** What an event of an answer, or a whole one, says of the call's use. What it does not say is left out. */
export type Reading = {
  readonly usage?: TokenUsage | undefined;
  readonly costUsd?: number | undefined;
  readonly tier?: string | undefined;
  readonly id?: string;
  readonly model?: string;
  /** Of the answer's text, reasoning and arguments. */
  readonly characters?: number;
  readonly ends?: boolean;
};

/** How each format's events are read. */
export const EVENT_READERS: Readonly<Record<ChatFormat, (event: unknown) => Reading>> = {
  chat: readChatEvent,
  messages: readMessagesEvent,
  responses: readResponsesEvent,
};

/**
 * Whether an event only goes on with an answer: all that it can tell is how long that is. Quotes within texts are escaped, so
 * these words are names. What is in doubt is not said to be so.
 */
export const GOES_ON: Readonly<Record<ChatFormat, (data: string) => boolean>> = {
  chat: (data) => nullOrNone(data, "usage") && nullOrNone(data, "finish_reason") && !data.includes('"error"'),
  messages: (data) => data.includes('"content_block_delta"') && !data.includes('"error"'),
  responses: (data) => data.includes('.delta"') && !data.includes('"error"') && !data.includes('"usage"'),
};

function nullOrNone(data: string, name: string): boolean {
  const at = data.indexOf(`"${name}"`);
  if (at < 0) return true;
  const end = at + name.length + 2;
  return data.startsWith(":null", end) || data.startsWith(": null", end);
}

function readChatEvent(event: unknown): Reading {
  const usage = at(event, "usage") ?? at(event, "x_groq", "usage");
  const choices = listAt(event, "choices");
  return {
    id: textAt(event, "id"),
    model: textAt(event, "model"),
    characters: choices.reduce<number>((sum, choice) => sum + chatCharacters(at(choice, "delta")), 0),
    ends: choices.some((choice) => typeof at(choice, "finish_reason") === "string"),
    ...(typeof usage === "object" && usage !== null
      ? { usage: chatUsage(usage), costUsd: costIn(usage), tier: textAt(event, "service_tier") }
      : undefined),
  };
}

/** Of a message or a part of one. */
export function chatCharacters(message: unknown): number {
  const calls = listAt(message, "tool_calls").reduce<number>(
    (sum, call) => sum + textAt(call, "function", "arguments").length + textAt(call, "function", "name").length,
    0,
  );
  const reasoning = textAt(message, "reasoning_content") || textAt(message, "reasoning");
  return calls + textAt(message, "content").length + textAt(message, "refusal").length + reasoning.length;
}

function readMessagesEvent(event: unknown): Reading {
  switch (textAt(event, "type")) {
    case "message_start": {
      const message = at(event, "message");
      const usage = at(message, "usage");
      return {
        id: textAt(message, "id"),
        model: textAt(message, "model"),
        usage: messagesUsage(usage),
        tier: textAt(usage, "service_tier"),
      };
    }
    case "message_delta":
      return { usage: messagesUsage(at(event, "usage")), costUsd: costIn(at(event, "usage")) };
    case "content_block_delta": {
      const delta = at(event, "delta");
      const text = textAt(delta, "text") || textAt(delta, "thinking") || textAt(delta, "partial_json");
      return { characters: text.length };
    }
    case "message_stop":
      return { ends: true };
    default:
      return {};
  }
}

const ENDS = new Set(["response.completed", "response.incomplete", "response.failed"]);

function readResponsesEvent(event: unknown): Reading {
  const type = textAt(event, "type");
  if (ENDS.has(type)) {
    const usage = at(event, "response", "usage");
    const tier = textAt(event, "response", "service_tier");
    return { ends: true, usage: responsesUsage(usage), costUsd: costIn(usage), tier };
  }
  if (type === "response.created") {
    return { id: textAt(event, "response", "id"), model: textAt(event, "response", "model") };
  }
  return type.endsWith(".delta") ? { characters: textAt(event, "delta").length } : {};
}
