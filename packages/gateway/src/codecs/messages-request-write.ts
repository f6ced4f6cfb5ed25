import { budgetOf } from "./effort.ts";
import { exactObject } from "./exact-json.ts";
import { writeOptions } from "./options.ts";
import type { Audio, CacheMark, Content, Part, Prompt, Source, Thinking, Tool, Turn } from "./prompt.ts";
import { type Fields, refuse, row, set } from "./refuse.ts";
import type { Target, WriteRequest } from "./target.ts";

/** What an answer may have where neither the client nor the deployment says: Messages wants a number. */
const MAX_TOKENS = 8_192;

/** A prompt as a request of Messages. */
export const writeMessagesRequest: WriteRequest = (prompt, target) => {
  const { parallel, user, stop, maxTokens, ...rest } = prompt.options;
  const most = typeof maxTokens === "number" ? maxTokens : (target.maxOutputTokens ?? MAX_TOKENS);
  if (maxTokens === undefined) target.warnings.add(`max_tokens is ${most}`);
  return {
    model: target.model,
    max_tokens: most,
    ...(prompt.system.length === 0 ? {} : { system: prompt.system.map((part) => contentBlock(part)) }),
    messages: prompt.turns.map((turn, index) => writeTurn(turn, index)).filter(({ content }) => content.length > 0),
    ...writeOptions("messages", rest, target),
    ...stopOf(stop),
    ...(typeof user === "string" ? { metadata: { user_id: user } } : {}),
    ...(prompt.tools.length === 0 ? {} : { tools: prompt.tools.map(writeTool) }),
    ...choiceOf(prompt, parallel === false),
    ...thinkingOf(prompt, most, target),
    ...(prompt.streamed ? { stream: true } : {}),
  };
};

function stopOf(stop: unknown): Fields {
  if (stop === undefined) return {};
  return { stop_sequences: Array.isArray(stop) ? stop : [stop] };
}

function writeTurn({ role, parts }: Turn, index: number): { role: string; content: readonly object[] } {
  if (role === "system") refuse(`messages[${index}].role`, "Messages takes system text at the beginning only.");
  return { role, content: parts.flatMap(writePart) };
}

function writePart(part: Part): readonly object[] {
  switch (part.type) {
    case "image":
    case "file":
    case "audio":
      return [contentBlock(part)];
    case "text":
      // Anthropic refuses empty blocks.
      return part.text === "" ? [] : [contentBlock(part)];
    case "refusal":
      return [{ type: "text", text: part.text }];
    case "reasoning":
      return reasoningBlock(part);
    case "call":
      return [
        { type: "tool_use", id: part.id, name: part.name, input: exactObject(part.arguments), ...markOf(part.cache) },
      ];
    case "result":
      return [resultBlock(part)];
  }
}

/** Only what Anthropic sealed is sent back; it refuses thoughts of others. */
function reasoningBlock({ text, seal }: Extract<Part, { type: "reasoning" }>): readonly object[] {
  if (seal?.kind === "thinking") return [{ type: "thinking", thinking: text, signature: seal.signature }];
  if (seal?.kind === "redacted") return [{ type: "redacted_thinking", data: seal.data }];
  return [];
}

function resultBlock({ callId, content, failed, cache }: Extract<Part, { type: "result" }>): object {
  const [only] = content;
  const plain = content.length === 1 && only?.type === "text" && only.cache === undefined;
  return {
    type: "tool_result",
    tool_use_id: callId,
    content: plain ? only.text : content.map((part) => contentBlock(part)),
    ...(failed ? { is_error: true } : {}),
    ...markOf(cache),
  };
}

function contentBlock(part: Content | Audio): object {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text, ...markOf(part.cache) };
    case "image":
      return { type: "image", source: sourceOf(part.source, "image.file_id"), ...markOf(part.cache) };
    case "file":
      return {
        type: "document",
        source: sourceOf(part.source, "file.file_id"),
        ...set({ title: part.name }),
        ...markOf(part.cache),
      };
    case "audio":
      return refuse("input_audio");
  }
}

function sourceOf(source: Source, path: string): object {
  if (source.kind === "url") return { type: "url", url: source.url };
  if (source.kind === "id") return refuse(path, "The file is known to another provider only.");
  return { type: "base64", media_type: source.mediaType, data: source.data };
}

function markOf(cache: CacheMark | undefined): object {
  return set({ cache_control: cache });
}

function writeTool({ name, description, parameters, strict, cache }: Tool): object {
  return { name, ...set({ description }), input_schema: parameters, ...(strict ? { strict } : {}), ...markOf(cache) };
}

function choiceOf({ toolChoice, tools }: Prompt, serial: boolean): Fields {
  if (tools.length === 0 || (toolChoice === undefined && !serial)) return {};
  const choice = toolChoice ?? "auto";
  const name = typeof choice === "string" ? { type: CHOICES[choice] } : { type: "tool", name: choice.name };
  return { tool_choice: { ...name, ...(serial && choice !== "none" ? { disable_parallel_tool_use: true } : {}) } };
}

const CHOICES = { auto: "auto", required: "any", none: "none" } as const;

/** Models that think as much as they find right and are told an effort (Claude 4.6 and later). */
const ADAPTIVE = /claude-(?:[a-z]+-)?(?:4[-.](?:[6-9]|1\d)(?!\d)|[5-9])/;

function thinkingOf({ thinking, output, turns }: Prompt, most: number, target: Target): Fields {
  const { effort, ...asked } = thinking === undefined ? {} : thought(thinking, most, target);
  const told = canThink(asked, turns, target) ? asked : {};
  const config = set({ effort, format: output === undefined ? undefined : outputOf(output) });
  return { ...told, ...(Object.keys(config).length === 0 ? {} : { output_config: config }) };
}

/**
 * With a budget, an answer that calls must begin with the thoughts that led to it. A client that did not keep them gets its next
 * answer without any, as LiteLLM does it.
 */
function canThink(asked: Thought, turns: Prompt["turns"], { warnings }: Target): boolean {
  if (asked.thinking === undefined || !("budget_tokens" in asked.thinking)) return true;
  const last = turns.findLast(({ role }) => role === "assistant");
  const called = turns.at(-1)?.parts.some((part) => part.type === "result") ?? false;
  if (!last || !called || last.parts.some((part) => reasoned(part))) return true;
  warnings.add("thinking was left out: the history has none of the thoughts before its calls");
  return false;
}

function reasoned(part: Part): boolean {
  return part.type === "reasoning" && reasoningBlock(part).length > 0;
}

type Thought = { readonly thinking?: object; readonly effort?: string };

function thought({ effort, budget, mode }: Thinking, most: number, target: Target): Thought {
  if (effort === "none") return {};
  if (effort === undefined) return modeOf(mode, budget);
  if (mode === "adaptive" || ADAPTIVE.test(target.model)) {
    return { thinking: { type: "adaptive" }, effort: row(EFFORTS, effort) ?? effort };
  }
  return budgeted(budget ?? budgetOf(effort), most, target);
}

const EFFORTS: Readonly<Record<string, string>> = { minimal: "low", xhigh: "max" };

function modeOf(mode: string | undefined, budget: number | undefined): Thought {
  if (budget !== undefined) return { thinking: { type: "enabled", budget_tokens: budget } };
  return mode === undefined ? {} : { thinking: { type: mode } };
}

/** At least 1,024 tokens, and less than the whole answer may have. */
function budgeted(wanted: number | undefined, most: number, { warnings }: Target): Thought {
  if (wanted === undefined) return refuse("reasoning_effort", "The effort is not known.");
  const budget = Math.min(wanted, most - 1);
  if (budget >= 1_024) return { thinking: { type: "enabled", budget_tokens: budget } };
  warnings.add("reasoning_effort was left out: the answer may be too short for it");
  return {};
}

function outputOf(output: NonNullable<Prompt["output"]>): object {
  if (output.type === "json") return refuse("response_format", "Messages gives JSON by a schema only.");
  return { type: "json_schema", schema: output.schema };
}
