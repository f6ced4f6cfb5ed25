import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { NAMES } from "../codecs/options.ts";
import type { Option, Prompt, Thinking } from "../codecs/prompt.ts";
import { refuse } from "../codecs/refuse.ts";
import type { Target } from "../codecs/target.ts";
import type { Provider } from "../ports/deployment.ts";
import { sdkPrompt } from "./sdk-prompt.ts";

type CallOptions = LanguageModelV4CallOptions;
type Reasoning = NonNullable<CallOptions["reasoning"]>;
type ProviderOptions = NonNullable<CallOptions["providerOptions"]>;

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
    prompt: sdkPrompt(prompt, { cachePoints: target.provider === "bedrock", warnings: target.warnings }),
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
  if (parallel === false && target.provider !== "mistral") refuse(fieldName("parallel", target));
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

function providerOptions({ thinking, options }: Prompt, { provider }: Target): ProviderOptions {
  const own = thinking === undefined ? {} : (THINKING[provider]?.(thinking) ?? {});
  const serial = provider === "mistral" && options.parallel === false ? { parallelToolCalls: false } : {};
  const name = provider === "vertex" ? "vertex" : provider;
  return { [name]: { ...own, ...serial } };
}

/** How a provider is told to think, beyond the effort: thoughts are shown where they are asked for. */
const THINKING: Readonly<Partial<Record<Provider, (thinking: Thinking) => ProviderOptions[string]>>> = {
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
