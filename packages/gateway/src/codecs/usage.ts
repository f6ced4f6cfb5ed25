import { at, countAt } from "@handrail/models/json";
import { answerTokens, promptTokens, type TokenUsage } from "../ports/token-usage.ts";

/** Usage as Chat Completions reports it, with the fields that LiteLLM, OpenRouter and DeepSeek add. */
export function chatUsage(usage: unknown): TokenUsage | undefined {
  if (typeof usage !== "object" || usage === null) return undefined;
  return openAiUsage(usage, CHAT_NAMES);
}

/** Usage as Responses reports it. */
export function responsesUsage(usage: unknown): TokenUsage | undefined {
  if (typeof usage !== "object" || usage === null) return undefined;
  return openAiUsage(usage, RESPONSES_NAMES);
}

type Names = { readonly prompt: string; readonly answer: string; readonly details: readonly [string, string] };
const CHAT_NAMES: Names = {
  prompt: "prompt_tokens",
  answer: "completion_tokens",
  details: ["prompt_tokens_details", "completion_tokens_details"],
};
const RESPONSES_NAMES: Names = {
  prompt: "input_tokens",
  answer: "output_tokens",
  details: ["input_tokens_details", "output_tokens_details"],
};

/** There the whole prompt and the whole answer are given, and of what they were made. */
function openAiUsage(usage: object, { prompt, answer, details: [input, output] }: Names): TokenUsage {
  const writes = cacheWrites(usage, input);
  const hour = countAt(usage, input, "cache_creation_token_details", "ephemeral_1h_input_tokens") ?? 0;
  const cached = countAt(usage, input, "cached_tokens") ?? countAt(usage, "prompt_cache_hit_tokens") ?? 0;
  const heard = countAt(usage, input, "audio_tokens") ?? 0;
  const reasoned = countAt(usage, output, "reasoning_tokens") ?? 0;
  const spoken = countAt(usage, output, "audio_tokens") ?? 0;
  return {
    inputTokens: rest(countAt(usage, prompt), cached, heard, writes),
    inputAudioTokens: heard,
    cacheReadTokens: cached,
    cacheWriteTokens: rest(writes, hour),
    cacheWriteHourTokens: Math.min(hour, writes),
    outputTokens: rest(countAt(usage, answer), reasoned, spoken),
    reasoningTokens: reasoned,
    outputAudioTokens: spoken,
  };
}

function cacheWrites(usage: object, details: string): number {
  return (
    countAt(usage, "cache_creation_input_tokens") ??
    countAt(usage, details, "cache_creation_tokens") ??
    countAt(usage, details, "cache_write_tokens") ??
    0
  );
}

/** Usage as Messages reports it: there the prompt's parts do not overlap. */
export function messagesUsage(usage: unknown): TokenUsage | undefined {
  if (typeof usage !== "object" || usage === null) return undefined;
  const writes = countAt(usage, "cache_creation_input_tokens") ?? 0;
  const hour = countAt(usage, "cache_creation", "ephemeral_1h_input_tokens") ?? 0;
  const reasoned = countAt(usage, "output_tokens_details", "thinking_tokens") ?? 0;
  return {
    inputTokens: countAt(usage, "input_tokens") ?? 0,
    inputAudioTokens: 0,
    cacheReadTokens: countAt(usage, "cache_read_input_tokens") ?? 0,
    cacheWriteTokens: rest(writes, hour),
    cacheWriteHourTokens: hour,
    outputTokens: rest(countAt(usage, "output_tokens"), reasoned),
    reasoningTokens: reasoned,
    outputAudioTokens: 0,
  };
}

function rest(all: number | undefined, ...parts: readonly number[]): number {
  return Math.max(
    0,
    parts.reduce((left, part) => left - part, all ?? 0),
  );
}

/** US dollars, where the provider says in its usage what the call cost, as OpenRouter does. */
export function costIn(usage: unknown): number | undefined {
  const cost = at(usage, "cost");
  return typeof cost === "number" && Number.isFinite(cost) && cost >= 0 ? cost : undefined;
}

/** For a client of Chat Completions. */
export function writeChatUsage(usage: TokenUsage): object {
  const prompt = promptTokens(usage);
  const answer = answerTokens(usage);
  return {
    prompt_tokens: prompt,
    completion_tokens: answer,
    total_tokens: prompt + answer,
    prompt_tokens_details: inputDetails(usage),
    completion_tokens_details: outputDetails(usage),
    ...(writesOf(usage) === 0 ? {} : { cache_creation_input_tokens: writesOf(usage) }),
  };
}

/** For a client of Responses. */
export function writeResponsesUsage(usage: TokenUsage): object {
  const prompt = promptTokens(usage);
  const answer = answerTokens(usage);
  return {
    input_tokens: prompt,
    input_tokens_details: inputDetails(usage),
    output_tokens: answer,
    output_tokens_details: outputDetails(usage),
    total_tokens: prompt + answer,
  };
}

/** For a client of Messages. */
export function writeMessagesUsage(usage: TokenUsage): object {
  return {
    input_tokens: usage.inputTokens + usage.inputAudioTokens,
    cache_creation_input_tokens: writesOf(usage),
    cache_read_input_tokens: usage.cacheReadTokens,
    cache_creation: writeDetails(usage),
    output_tokens: answerTokens(usage),
    ...(usage.reasoningTokens === 0 ? {} : { output_tokens_details: { thinking_tokens: usage.reasoningTokens } }),
  };
}

const writesOf = (usage: TokenUsage) => usage.cacheWriteTokens + usage.cacheWriteHourTokens;

/** Cache writes are named as LiteLLM names them. */
function inputDetails(usage: TokenUsage): object {
  const writes = { cache_creation_tokens: writesOf(usage), cache_creation_token_details: writeDetails(usage) };
  return {
    cached_tokens: usage.cacheReadTokens,
    ...(usage.inputAudioTokens === 0 ? {} : { audio_tokens: usage.inputAudioTokens }),
    ...(writesOf(usage) === 0 ? {} : writes),
  };
}

function writeDetails(usage: TokenUsage): object {
  return {
    ephemeral_5m_input_tokens: usage.cacheWriteTokens,
    ephemeral_1h_input_tokens: usage.cacheWriteHourTokens,
  };
}

function outputDetails(usage: TokenUsage): object {
  return {
    reasoning_tokens: usage.reasoningTokens,
    ...(usage.outputAudioTokens === 0 ? {} : { audio_tokens: usage.outputAudioTokens }),
  };
}
