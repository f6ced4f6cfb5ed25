import type { Provider } from "../ports/deployment.ts";
import { writeMessages } from "./chat-messages-write.ts";
import { effortOf } from "./effort.ts";
import { writeOptions } from "./options.ts";
import type { OutputFormat, Prompt, Tool, ToolChoice } from "./prompt.ts";
import { type Fields, set } from "./refuse.ts";
import type { Target, WriteRequest } from "./target.ts";

/** What a server of Chat Completions takes beyond OpenAI's own fields. */
export type Manners = {
  readonly cacheMarks: boolean;
  /** `reasoning_content` in the history. */
  readonly reasoning: boolean;
  /** `thinking_blocks` with signatures in the history. */
  readonly thinkingBlocks: boolean;
};

const PLAIN: Manners = { cacheMarks: false, reasoning: false, thinkingBlocks: false };
const LOCAL: Manners = { ...PLAIN, reasoning: true };
const LITELLM: Manners = { cacheMarks: true, reasoning: true, thinkingBlocks: true };
const MANNERS: Readonly<Partial<Record<Provider, Manners>>> = {
  deepseek: LOCAL,
  vllm: LOCAL,
  ollama: LOCAL,
  openrouter: { ...LOCAL, cacheMarks: true },
  litellm: LITELLM,
  openai_compatible: LITELLM,
};

/** A prompt as a request of Chat Completions. */
export const writeChatRequest: WriteRequest = (prompt, target) => {
  const manners = MANNERS[target.provider] ?? PLAIN;
  return {
    model: target.model,
    messages: writeMessages(prompt, manners, target),
    ...options(prompt, target),
    ...(prompt.tools.length === 0 ? {} : { tools: prompt.tools.map((tool) => writeTool(tool, manners, target)) }),
    ...set({
      tool_choice: prompt.toolChoice === undefined ? undefined : writeChoice(prompt.toolChoice),
      response_format: prompt.output === undefined ? undefined : writeOutput(prompt.output),
      reasoning_effort: effortOf(prompt.thinking),
    }),
    ...(prompt.streamed ? { stream: true, stream_options: { include_usage: true } } : {}),
  };
};

/** Only OpenAI's own API knows `max_completion_tokens` for sure. */
function options({ options }: Prompt, target: Target): Fields {
  const { max_completion_tokens, ...written } = writeOptions("chat", options, target);
  if (max_completion_tokens === undefined) return written;
  const own = target.provider === "openai" || target.provider === "azure";
  return { ...written, [own ? "max_completion_tokens" : "max_tokens"]: max_completion_tokens };
}

function writeTool({ name, description, parameters, strict, cache }: Tool, manners: Manners, target: Target): object {
  if (cache !== undefined && !manners.cacheMarks) target.warnings.add("cache_control was left out");
  return {
    type: "function",
    function: { name, ...set({ description, strict }), parameters },
    ...(cache !== undefined && manners.cacheMarks ? { cache_control: cache } : {}),
  };
}

function writeChoice(choice: ToolChoice): unknown {
  return typeof choice === "string" ? choice : { type: "function", function: { name: choice.name } };
}

function writeOutput(output: OutputFormat): object {
  if (output.type === "json") return { type: "json_object" };
  const { schema, name, description, strict } = output;
  return { type: "json_schema", json_schema: { name: name ?? "answer", ...set({ description, strict }), schema } };
}
