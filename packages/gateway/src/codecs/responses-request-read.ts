import { at } from "@handrail/models/json";
import { readSchema } from "./chat-request-read.ts";
import { FOR_GATEWAY } from "./gateway-fields.ts";
import { NAMES, readOptions } from "./options.ts";
import type {
  Content,
  Audio,
  OutputFormat,
  Part,
  Prompt,
  Reasoning,
  Text,
  Thinking,
  Tool,
  ToolChoice,
  Turn,
} from "./prompt.ts";
import { ANY, fields, type Fields, type FieldTable, known, list, one, refuse, row, set, text } from "./refuse.ts";
import { SUMMARY_BREAK, unpacked } from "./seals.ts";
import { sourceOf } from "./sources.ts";

/** Every field of a request of Responses: read, or harmless with these values. All others are refused. */
const FIELDS: FieldTable = {
  read: [
    ...Object.values(NAMES.responses).flat(),
    "model",
    "input",
    "instructions",
    "stream",
    "tools",
    "tool_choice",
    "text",
    "reasoning",
  ],
  harmless: {
    // Nothing of a translated answer is kept: what refers to an earlier one is refused instead.
    store: ANY,
    include: (value) => Array.isArray(value) && value.every((name) => name === "reasoning.encrypted_content"),
    background: one(false),
    truncation: one("disabled", "auto"),
    stream_options: ANY,
    top_logprobs: one(0),
    prompt_cache_retention: ANY,
    client_metadata: ANY,
    ...FOR_GATEWAY,
  },
};

/** A request of Responses. @throws AppError `request_unsupported` naming what no other format has */
export function readResponsesRequest(body: Fields): Prompt {
  known(body, FIELDS, "");
  const { instructions } = body;
  const lead: readonly Text[] =
    typeof instructions === "string" && instructions !== "" ? [{ type: "text", text: instructions }] : [];
  const turns = readItems(body["input"]);
  const begun = turns.findIndex(({ role }) => role !== "system");
  const count = begun < 0 ? turns.length : begun;
  const system = turns.slice(0, count).flatMap(({ parts }) => parts.filter((part) => part.type === "text"));
  const verbosity = at(body, "text", "verbosity");
  return {
    model: text(body["model"] ?? "", "model"),
    streamed: body["stream"] === true,
    usageAsked: true,
    system: [...lead, ...system],
    turns: turns.slice(count),
    tools: list(body["tools"], "tools").map(readTool),
    options: { ...readOptions("responses", body), ...(verbosity === undefined ? {} : { verbosity }) },
    ...set({
      toolChoice: readChoice(body["tool_choice"]),
      output: readOutput(at(body, "text", "format")),
      thinking: readThinking(body["reasoning"]),
    }),
  };
}

function readItems(input: unknown): readonly Turn[] {
  if (typeof input === "string") return [{ role: "user", parts: [{ type: "text", text: input }] }];
  return joined(list(input, "input").map((item, index) => readItem(item, `input[${index}]`)));
}

/** What the model made in a row is one turn, and so are results with what the user says after them. */
function joined(turns: readonly Turn[]): readonly Turn[] {
  const out: Turn[] = [];
  for (const turn of turns) {
    const last = out.at(-1);
    if (last && follows(last, turn)) out[out.length - 1] = { ...last, parts: [...last.parts, ...turn.parts] };
    else out.push(turn);
  }
  return out;
}

function follows(last: Turn, turn: Turn): boolean {
  if (last.role !== turn.role) return false;
  if (turn.role === "assistant") return last.parts.at(-1)?.type !== "text" || turn.parts[0]?.type !== "text";
  return turn.role === "user" && last.parts.at(-1)?.type === "result";
}

const ITEMS: Readonly<Record<string, FieldTable>> = {
  message: { read: ["type", "role", "content"], harmless: { id: ANY, status: ANY, phase: ANY } },
  reasoning: { read: ["type", "id", "summary", "content", "encrypted_content"], harmless: { status: ANY } },
  function_call: {
    read: ["type", "call_id", "name", "arguments"],
    harmless: { id: ANY, status: ANY, parsed_arguments: ANY, caller: ANY },
  },
  function_call_output: { read: ["type", "call_id", "output"], harmless: { id: ANY, status: ANY, caller: ANY } },
};

function readItem(value: unknown, path: string): Turn {
  const item = fields(value, path);
  const type = typeof item["type"] === "string" ? item["type"] : "message";
  const table = row(ITEMS, type);
  if (!table) return refuse(`${path}.type`);
  known(item, table, path);
  switch (type) {
    case "reasoning":
      return { role: "assistant", parts: [reasoningOf(item, path)] };
    case "function_call":
      return { role: "assistant", parts: [callOf(item, path)] };
    case "function_call_output":
      return { role: "user", parts: [resultOf(item, path)] };
    default:
      return messageOf(item, path);
  }
}

const ROLES: Readonly<Record<string, Turn["role"]>> = {
  user: "user",
  assistant: "assistant",
  system: "system",
  developer: "system",
};

function messageOf(item: Fields, path: string): Turn {
  const role = row(ROLES, item["role"]) ?? refuse(`${path}.role`);
  const { content } = item;
  if (typeof content === "string") return { role, parts: [{ type: "text", text: content }] };
  const parts = list(content, `${path}.content`);
  return { role, parts: parts.map((part, index) => contentPart(part, `${path}.content[${index}]`)) };
}

/** The item's own seal, or that of another provider which was packed into it. One that is kept elsewhere has none. */
function reasoningOf(item: Fields, path: string): Reasoning {
  const parts = list(item["summary"], `${path}.summary`).map((part) => text(at(part, "text"), `${path}.summary`));
  const thought = parts.join(SUMMARY_BREAK);
  const encrypted = item["encrypted_content"];
  if (typeof encrypted !== "string" || encrypted === "") return { type: "reasoning", text: thought };
  const id = typeof item["id"] === "string" ? item["id"] : "";
  const own = { kind: "item" as const, id, encrypted, parts: parts.map(({ length }) => length) };
  return { type: "reasoning", text: thought, seal: unpacked(encrypted) ?? own };
}

function callOf(item: Fields, path: string): Part {
  return {
    type: "call",
    id: text(item["call_id"], `${path}.call_id`),
    name: text(item["name"], `${path}.name`),
    arguments: text(item["arguments"], `${path}.arguments`),
  };
}

function resultOf(item: Fields, path: string): Part {
  const { output } = item;
  const parts: readonly unknown[] =
    typeof output === "string" ? [{ type: "input_text", text: output }] : list(output, `${path}.output`);
  const content = parts.map((value, index): Content => {
    const part = contentPart(value, `${path}.output[${index}]`);
    return part.type === "text" || part.type === "image" || part.type === "file" ? part : refuse(`${path}.output`);
  });
  return { type: "result", callId: text(item["call_id"], `${path}.call_id`), content, failed: false };
}

const PARTS: Readonly<Record<string, FieldTable>> = {
  input_text: { read: ["type", "text"], harmless: { prompt_cache_breakpoint: ANY } },
  output_text: { read: ["type", "text"], harmless: { annotations: ANY, logprobs: ANY, parsed: ANY } },
  refusal: { read: ["type", "refusal"], harmless: {} },
  input_image: { read: ["type", "image_url", "file_id", "detail"], harmless: { prompt_cache_breakpoint: ANY } },
  input_file: {
    read: ["type", "file_data", "file_id", "file_url", "filename"],
    harmless: { detail: ANY, prompt_cache_breakpoint: ANY },
  },
  input_audio: { read: ["type", "input_audio"], harmless: {} },
};

function contentPart(value: unknown, path: string): Content | Audio | Extract<Part, { type: "refusal" }> {
  const part = fields(value, path);
  const type = String(part["type"]);
  const table = row(PARTS, type);
  if (!table) return refuse(`${path}.type`);
  known(part, table, path);
  switch (type) {
    case "refusal":
      return { type: "refusal", text: text(part["refusal"], `${path}.refusal`) };
    case "input_image":
      return imageOf(part, path);
    case "input_file":
      return fileOf(part, path);
    case "input_audio": {
      const audio = fields(part["input_audio"], `${path}.input_audio`);
      return { type: "audio", data: text(audio["data"], path), format: text(audio["format"], path) };
    }
    default:
      return { type: "text", text: text(part["text"], `${path}.text`) };
  }
}

function imageOf(part: Fields, path: string): Content {
  const asked = part["detail"];
  const detail = set({ detail: typeof asked === "string" && asked !== "auto" ? asked : undefined });
  const id = part["file_id"];
  if (typeof id === "string") return { type: "image", source: { kind: "id", id }, ...detail };
  return { type: "image", source: sourceOf(text(part["image_url"], `${path}.image_url`)), ...detail };
}

function fileOf(part: Fields, path: string): Content {
  const name = set({ name: typeof part["filename"] === "string" ? part["filename"] : undefined });
  const id = part["file_id"];
  if (typeof id === "string") return { type: "file", source: { kind: "id", id }, ...name };
  const url = part["file_url"] ?? part["file_data"];
  return { type: "file", source: sourceOf(text(url, `${path}.file_data`)), ...name };
}

const TOOL: FieldTable = {
  read: ["type", "name", "description", "parameters", "strict"],
  harmless: { defer_loading: one(false) },
};

function readTool(value: unknown, index: number): Tool {
  const path = `tools[${index}]`;
  const tool = fields(value, path);
  if (tool["type"] !== "function") refuse(`${path}.type`, "Only functions can be called through another format.");
  known(tool, TOOL, path);
  return {
    name: text(tool["name"], `${path}.name`),
    parameters: tool["parameters"] ?? { type: "object", properties: {} },
    ...set({
      description: (tool["description"] ?? undefined) as string | undefined,
      strict: tool["strict"] === true ? true : undefined,
    }),
  };
}

function readChoice(choice: unknown): ToolChoice | undefined {
  if (choice === undefined || choice === null) return undefined;
  if (choice === "auto" || choice === "none" || choice === "required") return choice;
  const name = at(choice, "type") === "function" ? at(choice, "name") : undefined;
  return typeof name === "string" ? { name } : refuse("tool_choice");
}

function readOutput(format: unknown): OutputFormat | undefined {
  const type = at(format, "type");
  if (type === undefined || type === "text") return undefined;
  if (type === "json_object") return { type: "json" };
  return type === "json_schema" ? readSchema(fields(format, "text.format"), "text.format") : refuse("text.format.type");
}

function readThinking(reasoning: unknown): Thinking | undefined {
  const effort = at(reasoning, "effort");
  const summary = at(reasoning, "summary") ?? at(reasoning, "generate_summary");
  const thinking: Thinking = set({
    effort: typeof effort === "string" ? effort : undefined,
    summary: typeof summary === "string" ? summary : undefined,
  });
  return Object.keys(thinking).length === 0 ? undefined : thinking;
}
