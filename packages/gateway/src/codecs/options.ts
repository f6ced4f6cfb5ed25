import type { ChatFormat } from "../ports/format.ts";
import type { Option, Prompt } from "./prompt.ts";
import { type Fields, refuse } from "./refuse.ts";

/** What each format calls an option. One that it does not name cannot be carried to it. The first name is written. */
export const NAMES: Readonly<Record<ChatFormat, Readonly<Partial<Record<Option, readonly string[]>>>>> = {
  chat: {
    maxTokens: ["max_completion_tokens", "max_tokens"],
    temperature: ["temperature"],
    topP: ["top_p"],
    topK: ["top_k"],
    stop: ["stop"],
    seed: ["seed"],
    presencePenalty: ["presence_penalty"],
    frequencyPenalty: ["frequency_penalty"],
    user: ["user", "safety_identifier"],
    metadata: ["metadata"],
    serviceTier: ["service_tier"],
    cacheKey: ["prompt_cache_key"],
    verbosity: ["verbosity"],
    parallel: ["parallel_tool_calls"],
  },
  messages: {
    maxTokens: ["max_tokens"],
    temperature: ["temperature"],
    topP: ["top_p"],
    topK: ["top_k"],
    stop: ["stop_sequences"],
  },
  responses: {
    maxTokens: ["max_output_tokens"],
    temperature: ["temperature"],
    topP: ["top_p"],
    user: ["user", "safety_identifier"],
    metadata: ["metadata"],
    serviceTier: ["service_tier"],
    cacheKey: ["prompt_cache_key"],
    parallel: ["parallel_tool_calls"],
  },
};

/**
 * Options that only say something about the request, or that hint: they are left out, with a warning, where the other
 * format has no place for them.
 */
const HINTS: readonly Option[] = ["user", "metadata", "serviceTier", "cacheKey", "verbosity"];

/** The values that are as if the option were not set. */
const USUAL: Readonly<Partial<Record<Option, unknown>>> = { presencePenalty: 0, frequencyPenalty: 0, parallel: true };

/** The options that a request of a format sets. */
export function readOptions(format: ChatFormat, body: Fields): Prompt["options"] {
  const entries = Object.entries(NAMES[format]).flatMap(([option, names]) => {
    const value = names.map((name) => body[name]).find((found) => found !== undefined && found !== null);
    return value === undefined ? [] : [[option, value] as const];
  });
  return Object.fromEntries(entries);
}

/** Who asks, in whose names a refusal speaks, and what was left out. */
export type Writing = { readonly from: ChatFormat; readonly warnings: Set<string> };

/** The options as fields of a format. @throws AppError `request_unsupported` for one that it has not */
export function writeOptions(format: ChatFormat, options: Prompt["options"], writing: Writing): Fields {
  const written: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    const option = key as Option;
    const name = NAMES[format][option]?.[0];
    if (name !== undefined) written[name] = value;
    else leaveOut(option, value, writing);
  }
  return written;
}

function leaveOut(option: Option, value: unknown, { from, warnings }: Writing): void {
  if (USUAL[option] === value) return;
  const name = NAMES[from][option]?.[0] ?? option;
  if (!HINTS.includes(option)) refuse(name);
  warnings.add(`${name} was left out`);
}
