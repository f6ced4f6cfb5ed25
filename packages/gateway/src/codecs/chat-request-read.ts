import { at } from "@handrail/models/json";
import { readMessages } from "./chat-messages-read.ts";
import { FOR_GATEWAY } from "./gateway-fields.ts";
import { NAMES, readOptions } from "./options.ts";
import type { OutputFormat, Prompt, Thinking, Tool, ToolChoice } from "./prompt.ts";
import { ANY, fields, type Fields, type FieldTable, known, list, one, refuse, set, text } from "./refuse.ts";

/** Every field of a request of Chat Completions: read, or harmless with these values. All others are refused. */
const FIELDS: FieldTable = {
  read: [
    ...Object.values(NAMES.chat).flat(),
    "model",
    "messages",
    "stream",
    "stream_options",
    "tools",
    "tool_choice",
    "response_format",
    "reasoning_effort",
    "thinking",
  ],
  harmless: {
    n: one(1),
    store: ANY,
    logprobs: one(false),
    logit_bias: (value) => Object.keys(Object(value)).length === 0,
    modalities: (value) => JSON.stringify(value) === '["text"]',
    prompt_cache_retention: ANY,
    ...FOR_GATEWAY,
  },
};

/** A request of Chat Completions. @throws AppError `request_unsupported` naming what no other format has */
export function readChatRequest(body: Fields): Prompt {
  known(body, FIELDS, "");
  return {
    model: text(body["model"] ?? "", "model"),
    streamed: body["stream"] === true,
    usageAsked: at(body, "stream_options", "include_usage") === true,
    ...readMessages(list(body["messages"], "messages")),
    tools: list(body["tools"], "tools").map(readTool),
    options: readOptions("chat", body),
    ...set({
      toolChoice: readChoice(body["tool_choice"]),
      output: readOutput(body["response_format"]),
      thinking: readThinking(body),
    }),
  };
}

const TOOL: FieldTable = { read: ["type", "function", "cache_control"], harmless: {} };
const FUNCTION: FieldTable = { read: ["name", "description", "parameters", "strict", "cache_control"], harmless: {} };

function readTool(value: unknown, index: number): Tool {
  const path = `tools[${index}]`;
  const tool = fields(value, path);
  if (tool["type"] !== "function") refuse(`${path}.type`, "Only functions can be called through another format.");
  known(tool, TOOL, path);
  const body = fields(tool["function"], `${path}.function`);
  known(body, FUNCTION, `${path}.function`);
  return {
    name: text(body["name"], `${path}.function.name`),
    parameters: body["parameters"] ?? { type: "object", properties: {} },
    ...set({
      description: (body["description"] ?? undefined) as string | undefined,
      strict: (body["strict"] ?? undefined) as boolean | undefined,
      cache: (tool["cache_control"] ?? body["cache_control"] ?? undefined) as Tool["cache"],
    }),
  };
}

function readChoice(choice: unknown): ToolChoice | undefined {
  if (choice === undefined || choice === null) return undefined;
  if (choice === "auto" || choice === "none" || choice === "required") return choice;
  const name = at(choice, "function", "name");
  return typeof name === "string" ? { name } : refuse("tool_choice");
}

function readOutput(format: unknown): OutputFormat | undefined {
  const type = at(format, "type");
  if (type === undefined || type === "text") return undefined;
  if (type === "json_object") return { type: "json" };
  if (type !== "json_schema") return refuse("response_format.type");
  const body = fields(at(format, "json_schema"), "response_format.json_schema");
  return readSchema(body, "response_format.json_schema");
}

const SCHEMA: FieldTable = { read: ["name", "schema", "strict", "description", "type"], harmless: {} };

/** A schema for the answer, as OpenAI's two formats have it. */
export function readSchema(body: Fields, path: string): OutputFormat {
  known(body, SCHEMA, path);
  return {
    type: "schema",
    schema: body["schema"] ?? {},
    ...set({
      name: (body["name"] ?? undefined) as string | undefined,
      description: (body["description"] ?? undefined) as string | undefined,
      strict: (body["strict"] ?? undefined) as boolean | undefined,
    }),
  };
}

const MODES = ["adaptive", "disabled"] as const;

/** `thinking` is Anthropic's, which LiteLLM takes in Chat too. */
function readThinking(body: Fields): Thinking | undefined {
  const effort = body["reasoning_effort"];
  const budget = at(body["thinking"], "budget_tokens");
  const mode = at(body["thinking"], "type");
  const thinking: Thinking = set({
    effort: typeof effort === "string" ? effort : undefined,
    budget: typeof budget === "number" ? budget : undefined,
    mode: MODES.find((known) => known === mode),
  });
  return Object.keys(thinking).length === 0 ? undefined : thinking;
}
