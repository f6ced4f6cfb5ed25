import { at } from "@handrail/models/json";
import { thinkingBlock } from "./chat-messages-read.ts";
import { FOR_GATEWAY } from "./gateway-fields.ts";
import { readOptions } from "./options.ts";
import type {
  CacheMark,
  Content,
  Option,
  OutputFormat,
  Part,
  Prompt,
  Text,
  Thinking,
  Tool,
  ToolChoice,
  Turn,
} from "./prompt.ts";
import { ANY, fields, type Fields, type FieldTable, known, list, one, refuse, row, set, text } from "./refuse.ts";

/** Every field of a request of Messages: read, or harmless with these values. All others are refused. */
const FIELDS: FieldTable = {
  read: [
    "model",
    "messages",
    "system",
    "stream",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "metadata",
  ],
  harmless: {
    service_tier: ANY,
    // Tells Anthropic to shorten long prompts by itself: without it the prompt is as the client sent it.
    context_management: ANY,
    speed: ANY,
    mcp_servers: (value) => Array.isArray(value) && value.length === 0,
    cache_control: ANY,
    ...FOR_GATEWAY,
  },
};

/** A request of Messages. @throws AppError `request_unsupported` naming what no other format has */
export function readMessagesRequest(body: Fields): Prompt {
  known(body, FIELDS, "");
  return {
    model: text(body["model"] ?? "", "model"),
    streamed: body["stream"] === true,
    usageAsked: true,
    system: readSystem(body["system"]),
    turns: list(body["messages"], "messages").map((message, index) => readTurn(message, `messages[${index}]`)),
    tools: list(body["tools"], "tools").map(readTool),
    options: { ...readOptions("messages", body), ...ownOptions(body) },
    ...set({
      toolChoice: readChoice(body["tool_choice"]),
      output: readOutput(at(body, "output_config", "format")),
      thinking: readThinking(body),
    }),
  };
}

/** Options that are elsewhere here than in the other formats. */
function ownOptions(body: Fields): Partial<Record<Option, unknown>> {
  const user = at(body, "metadata", "user_id");
  const serial = at(body, "tool_choice", "disable_parallel_tool_use");
  return set({
    user: typeof user === "string" ? user : undefined,
    parallel: serial === true ? false : undefined,
  });
}

function readSystem(system: unknown): readonly Text[] {
  if (typeof system === "string") return system === "" ? [] : [{ type: "text", text: system }];
  return list(system, "system").map((block, index) => {
    const part = readBlock(block, `system[${index}]`);
    return part.type === "text" ? part : refuse(`system[${index}].type`);
  });
}

const MESSAGE: FieldTable = { read: ["role", "content"], harmless: { id: ANY, type: ANY } };

function readTurn(value: unknown, path: string): Turn {
  const message = fields(value, path);
  known(message, MESSAGE, path);
  const { role, content } = message;
  if (role !== "user" && role !== "assistant" && role !== "system") refuse(`${path}.role`);
  if (typeof content === "string") return { role, parts: content === "" ? [] : [{ type: "text", text: content }] };
  const parts = list(content, `${path}.content`);
  return { role, parts: parts.map((block, index) => readBlock(block, `${path}.content[${index}]`)) };
}

const BLOCKS: Readonly<Record<string, FieldTable>> = {
  text: { read: ["type", "text", "cache_control"], harmless: { citations: one(null, undefined) } },
  image: { read: ["type", "source", "cache_control"], harmless: {} },
  document: {
    read: ["type", "source", "title", "cache_control"],
    harmless: { citations: (value) => at(value, "enabled") !== true },
  },
  thinking: { read: ["type", "thinking", "signature"], harmless: { cache_control: ANY } },
  redacted_thinking: { read: ["type", "data"], harmless: {} },
  tool_use: { read: ["type", "id", "name", "input", "cache_control"], harmless: { caller: one("direct") } },
  tool_result: { read: ["type", "tool_use_id", "content", "is_error", "cache_control"], harmless: {} },
};

function readBlock(value: unknown, path: string): Part {
  const block = fields(value, path);
  const table = row(BLOCKS, block["type"]);
  if (!table) return refuse(`${path}.type`);
  known(block, table, path);
  const mark = set({ cache: (block["cache_control"] ?? undefined) as CacheMark | undefined });
  switch (block["type"]) {
    case "tool_use":
      return { ...callOf(block, path), ...mark };
    case "tool_result":
      return { ...resultOf(block, path), ...mark };
    case "text":
    case "image":
    case "document":
      return { ...contentOf(block, path), ...mark };
    default:
      return thinkingBlock(block, path);
  }
}

/** Here the arguments are a value already; it is written as text once. */
function callOf(block: Fields, path: string): Extract<Part, { type: "call" }> {
  return {
    type: "call",
    id: text(block["id"], `${path}.id`),
    name: text(block["name"], `${path}.name`),
    arguments: JSON.stringify(block["input"] ?? {}),
  };
}

function resultOf(block: Fields, path: string): Extract<Part, { type: "result" }> {
  const { content } = block;
  const parts = typeof content === "string" ? [{ type: "text", text: content }] : list(content, `${path}.content`);
  return {
    type: "result",
    callId: text(block["tool_use_id"], `${path}.tool_use_id`),
    failed: block["is_error"] === true,
    content: parts.map((part, index) => resultContent(part, `${path}.content[${index}]`)),
  };
}

function resultContent(value: unknown, path: string): Content {
  const part = readBlock(value, path);
  return part.type === "text" || part.type === "image" || part.type === "file" ? part : refuse(`${path}.type`);
}

function contentOf(block: Fields, path: string): Content {
  if (block["type"] === "text") return { type: "text", text: text(block["text"], `${path}.text`) };
  const source = fields(block["source"], `${path}.source`);
  const title = block["title"];
  if (source["type"] === "text") return { type: "text", text: text(source["data"], `${path}.source.data`) };
  const read = sourceFrom(source, `${path}.source`);
  if (block["type"] === "image") return { type: "image", source: read };
  return { type: "file", source: read, ...set({ name: typeof title === "string" ? title : undefined }) };
}

function sourceFrom(source: Fields, path: string): Extract<Content, { type: "image" }>["source"] {
  switch (source["type"]) {
    case "base64": {
      const mediaType = text(source["media_type"], `${path}.media_type`);
      return { kind: "base64", mediaType, data: text(source["data"], `${path}.data`) };
    }
    case "url":
      return { kind: "url", url: text(source["url"], `${path}.url`) };
    default:
      return refuse(`${path}.type`, "The file is known to another provider only.");
  }
}

const TOOL: FieldTable = {
  read: ["type", "name", "description", "input_schema", "strict", "cache_control"],
  harmless: { eager_input_streaming: ANY, defer_loading: one(false), allowed_callers: one("direct") },
};

function readTool(value: unknown, index: number): Tool {
  const path = `tools[${index}]`;
  const tool = fields(value, path);
  if ((tool["type"] ?? "custom") !== "custom") refuse(`${path}.type`, "The tool runs at Anthropic only.");
  known(tool, TOOL, path);
  return {
    name: text(tool["name"], `${path}.name`),
    parameters: tool["input_schema"] ?? { type: "object", properties: {} },
    ...set({
      description: (tool["description"] ?? undefined) as string | undefined,
      strict: (tool["strict"] ?? undefined) as boolean | undefined,
      cache: (tool["cache_control"] ?? undefined) as CacheMark | undefined,
    }),
  };
}

const CHOICES: Readonly<Record<string, ToolChoice>> = { auto: "auto", any: "required", none: "none" };

function readChoice(choice: unknown): ToolChoice | undefined {
  if (choice === undefined || choice === null) return undefined;
  const { type, name } = fields(choice, "tool_choice");
  if (type === "tool") return { name: text(name, "tool_choice.name") };
  return row(CHOICES, type) ?? refuse("tool_choice.type");
}

function readOutput(format: unknown): OutputFormat | undefined {
  if (format === undefined || format === null) return undefined;
  if (at(format, "type") !== "json_schema") return refuse("output_config.format.type");
  return { type: "schema", schema: at(format, "schema") };
}

const MODES = ["adaptive", "disabled"] as const;

function readThinking(body: Fields): Thinking | undefined {
  const effort = at(body, "output_config", "effort");
  const mode = at(body, "thinking", "type");
  const budget = at(body, "thinking", "budget_tokens");
  const thinking: Thinking = set({
    effort: typeof effort === "string" && mode !== "disabled" ? effort : undefined,
    budget: typeof budget === "number" ? budget : undefined,
    mode: MODES.find((known) => known === mode),
  });
  return Object.keys(thinking).length === 0 ? undefined : thinking;
}
