import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { NAMES } from "../codecs/options.ts";
import type { CacheMark, Option, Prompt, Thinking } from "../codecs/prompt.ts";
import { refuse } from "../codecs/refuse.ts";
import type { Target } from "../codecs/target.ts";
import type { Provider } from "../ports/deployment.ts";
import { type ProviderOptions, sdkPrompt } from "./sdk-prompt.ts";
import { isClaude } from "./sources.ts";

type CallOptions = LanguageModelV4CallOptions;
type Reasoning = NonNullable<CallOptions["reasoning"]>;

/** Under which name a provider of the SDK looks for its own options. */
type Name = Provider | "anthropic";

function nameOf({ provider, model }: Target): Name {
  return provider === "vertex" && isClaude(model) ? "anthropic" : provider;
}

/** How each provider is told up to where its prompt is cached. */
const MARKS: Readonly<Partial<Record<Name, (cache: CacheMark) => ProviderOptions>>> = {
  anthropic: (cache) => ({ anthropic: { cacheControl: cache as ProviderOptions[string] } }),
  bedrock: ({ ttl }) => ({
    bedrock: { cachePoint: { type: "default", ...(typeof ttl === "string" ? { ttl } : {}) } },
  }),
};

/** How a provider is told to call one tool at a time. */
const SERIAL: Readonly<Partial<Record<Name, ProviderOptions[string]>>> = {
  anthropic: { disableParallelToolUse: true },
  mistral: { parallelToolCalls: false },
};

/** What the specification calls an option. */
const FIELDS: Readonly<Partial<Record<Option, keyof CallOptions>>> = {
  maxTokens: "maxOutputTokens",
  temperature: "temperature",
  topP: "topP",
  topK: "topK",
  stop: "stopSequences",
  seed: "seed",
  presencePenalty: "presencePenalty",
  frequencyPenalty: "frequencyPenalty",
};

/** Options that only hint; they are left out with a warning. */
const HINTS: readonly Option[] = ["user", "metadata", "serviceTier", "cacheKey", "verbosity"];

/** A prompt as a call of the specification. @throws AppError `request_unsupported` */
export function sdkCall(prompt: Prompt, target: Target): CallOptions {
  const { tools, toolChoice, output, thinking } = prompt;
  return {
    prompt: sdkPrompt(prompt, { mark: MARKS[nameOf(target)], warnings: target.warnings }),
    ...options(prompt, target),
    ...(tools.length === 0 ? {} : { tools: tools.map((tool) => functionTool(tool)) }),
    ...(toolChoice === undefined || tools.length === 0 ? {} : { toolChoice: choiceOf(toolChoice) }),
    ...(output === undefined ? {} : { responseFormat: formatOf(output) }),
    ...(thinking?.effort === undefined ? {} : { reasoning: effortOf(thinking.effort, target) }),
    providerOptions: providerOptions(prompt, target),
  };
}

function options({ options }: Prompt, target: Target): Partial<CallOptions> {
  const { parallel, ...rest } = options;
  if (parallel === false && !(nameOf(target) in SERIAL)) refuse(fieldName("parallel", target));
  const entries = Object.entries(rest).flatMap(([key, value]) => {
    const option = key as Option;
    const field = FIELDS[option];
    if (field === undefined) {
      leaveOut(option, target);
      return [];
    }
    return [[field, option === "stop" && !Array.isArray(value) ? [value] : value] as const];
  });
  return Object.fromEntries(entries);
}

function leaveOut(option: Option, target: Target): void {
  const name = fieldName(option, target);
  if (!HINTS.includes(option)) refuse(name);
  target.warnings.add(`${name} was left out`);
}

/** What the client calls an option. */
function fieldName(option: Option, { from }: Target): string {
  if (option === "parallel" && from === "messages") return "tool_choice.disable_parallel_tool_use";
  return NAMES[from][option]?.[0] ?? option;
}

function functionTool({ name, description, parameters, strict }: Prompt["tools"][number]) {
  return {
    type: "function" as const,
    name,
    inputSchema: parameters as { readonly type?: "object" },
    ...(description === undefined ? {} : { description }),
    ...(strict === undefined ? {} : { strict }),
  };
}

function choiceOf(choice: NonNullable<Prompt["toolChoice"]>): NonNullable<CallOptions["toolChoice"]> {
  return typeof choice === "string" ? { type: choice } : { type: "tool", toolName: choice.name };
}

function formatOf(output: NonNullable<Prompt["output"]>): NonNullable<CallOptions["responseFormat"]> {
  if (output.type === "json") return { type: "json" };
  const { schema, name, description } = output;
  return {
    type: "json",
    schema: schema as { readonly type?: "object" },
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
  };
}

const EFFORTS: readonly string[] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

function effortOf(effort: string, { from }: Target): Reasoning {
  return EFFORTS.includes(effort) ? (effort as Reasoning) : refuse(EFFORT_FIELDS[from], "The effort is not known.");
}

const EFFORT_FIELDS = {
  chat: "reasoning_effort",
  messages: "output_config.effort",
  responses: "reasoning.effort",
} as const;

function providerOptions({ thinking, options }: Prompt, target: Target): ProviderOptions {
  const name = nameOf(target);
  const own = thinking === undefined ? {} : (THINKING[name]?.(thinking) ?? {});
  return { [name]: { ...own, ...(options.parallel === false ? SERIAL[name] : {}) } };
}

/** How a provider is told to think, beyond the effort: thoughts are shown where they are asked for. */
const THINKING: Readonly<Partial<Record<Name, (thinking: Thinking) => ProviderOptions[string]>>> = {
  anthropic: ({ budget, mode }) => {
    if (budget !== undefined) return { thinking: { type: "enabled", budgetTokens: budget } };
    return mode === undefined ? {} : { thinking: { type: mode } };
  },
  google: googleThinking,
  vertex: googleThinking,
  bedrock: ({ budget, mode }) => {
    if (budget !== undefined) return { reasoningConfig: { type: "enabled", budgetTokens: budget } };
    return mode === undefined ? {} : { reasoningConfig: { type: mode } };
  },
};

function googleThinking({ effort, budget, mode }: Thinking): ProviderOptions[string] {
  if (effort === "none") return {};
  if (mode === "disabled") return { thinkingConfig: { thinkingBudget: 0 } };
  return { thinkingConfig: { includeThoughts: true, ...(budget === undefined ? {} : { thinkingBudget: budget }) } };
}
