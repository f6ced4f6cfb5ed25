import type { Audio, CacheMark, Content, Part, Prompt, Reasoning, Result, Text, Turn } from "./prompt.ts";
import { ANY, fields, type Fields, type FieldTable, known, list, refuse, set, text } from "./refuse.ts";
import { unpacked } from "./seals.ts";
import { sourceOf } from "./sources.ts";

type Messages = Pick<Prompt, "system" | "turns">;

const MESSAGE: FieldTable = {
  read: [
    "role",
    "content",
    "refusal",
    "tool_calls",
    "tool_call_id",
    "reasoning_content",
    "thinking_blocks",
    "cache_control",
  ],
  harmless: {
    name: ANY,
    annotations: ANY,
    reasoning: ANY,
    reasoning_details: ANY,
    provider_specific_fields: ANY,
    audio: () => false,
    // What an SDK leaves of an answer without calls.
    function_call: () => false,
  },
};

/** The messages of Chat Completions. Leading system messages are apart. @throws AppError `request_unsupported` */
export function readMessages(messages: readonly unknown[]): Messages {
  const turns = messages.map((message, index) => readMessage(message, `messages[${index}]`));
  const begun = turns.findIndex(({ role }) => role !== "system");
  const lead = begun < 0 ? turns : turns.slice(0, begun);
  const system = lead.flatMap(({ parts }) => parts).filter((part): part is Text => part.type === "text");
  return { system, turns: joined(begun < 0 ? [] : turns.slice(begun)) };
}

/** Results of neighbouring calls are one turn, and what the user says after them belongs to it. */
function joined(turns: readonly Turn[]): readonly Turn[] {
  const out: Turn[] = [];
  for (const turn of turns) {
    const last = out.at(-1);
    const follows = last?.role === "user" && turn.role === "user" && last.parts.at(-1)?.type === "result";
    if (last && follows) out[out.length - 1] = { ...last, parts: [...last.parts, ...turn.parts] };
    else out.push(turn);
  }
  return out;
}

function readMessage(value: unknown, path: string): Turn {
  const message = fields(value, path);
  known(message, MESSAGE, path);
  switch (message["role"]) {
    case "system":
    case "developer":
      return { role: "system", parts: texts(marked(contents(message, path), message), path) };
    case "user":
      return { role: "user", parts: marked(contents(message, path), message) };
    case "assistant":
      return { role: "assistant", parts: assistantParts(message, path) };
    case "tool":
      return { role: "user", parts: [toolResult(message, path)] };
    default:
      return refuse(`${path}.role`);
  }
}

/** A mark at a message counts for its last part. */
function marked<Item extends Part>(parts: readonly Item[], message: Fields): readonly Item[] {
  const cache = message["cache_control"] as CacheMark | undefined | null;
  if (cache === undefined || cache === null) return parts;
  return parts.map((part, index) => (index === parts.length - 1 ? { ...part, cache } : part));
}

function texts(parts: readonly Part[], path: string): readonly Text[] {
  return parts.map((part) => (part.type === "text" ? part : refuse(`${path}.content`)));
}

function contents({ content }: Fields, path: string): readonly (Content | Audio)[] {
  if (content === undefined || content === null) return [];
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  return list(content, `${path}.content`).map((part, index) => contentPart(part, `${path}.content[${index}]`));
}

const PART: FieldTable = {
  read: ["type", "text", "image_url", "file", "input_audio", "cache_control", "refusal"],
  harmless: { prompt_cache_breakpoint: ANY },
};

function contentPart(value: unknown, path: string): Content | Audio {
  const part = fields(value, path);
  known(part, PART, path);
  const mark = set({ cache: (part["cache_control"] ?? undefined) as CacheMark | undefined });
  switch (part["type"]) {
    case "text":
      return { type: "text", text: text(part["text"], `${path}.text`), ...mark };
    case "image_url":
      return { ...imagePart(part["image_url"], `${path}.image_url`), ...mark };
    case "file":
      return { ...filePart(fields(part["file"], `${path}.file`), `${path}.file`), ...mark };
    case "input_audio": {
      const audio = fields(part["input_audio"], `${path}.input_audio`);
      const data = text(audio["data"], `${path}.input_audio.data`);
      return { type: "audio", data, format: text(audio["format"], `${path}.input_audio.format`) };
    }
    default:
      return refuse(`${path}.type`);
  }
}

function imagePart(image: unknown, path: string): Content {
  const { url, detail }: Fields = typeof image === "string" ? { url: image } : fields(image, path);
  const source = sourceOf(text(url, `${path}.url`));
  return { type: "image", source, ...set({ detail: (detail ?? undefined) as string | undefined }) };
}

function filePart(file: Fields, path: string): Content {
  const name = set({ name: (file["filename"] ?? undefined) as string | undefined });
  const id = file["file_id"];
  if (typeof id === "string") return { type: "file", source: { kind: "id", id }, ...name };
  return { type: "file", source: sourceOf(text(file["file_data"], `${path}.file_data`)), ...name };
}

function toolResult(message: Fields, path: string): Result {
  const content = contents(message, path).map((part) => (part.type === "audio" ? refuse(`${path}.content`) : part));
  const mark = set({ cache: (message["cache_control"] ?? undefined) as CacheMark | undefined });
  return {
    type: "result",
    callId: text(message["tool_call_id"], `${path}.tool_call_id`),
    content,
    failed: false,
    ...mark,
  };
}

function assistantParts(message: Fields, path: string): readonly Part[] {
  const refusal = message["refusal"];
  return [
    ...reasoningParts(message, path),
    ...marked(saidParts(message, path), message),
    ...(typeof refusal === "string" ? [{ type: "refusal", text: refusal } as const] : []),
    ...list(message["tool_calls"], `${path}.tool_calls`).map((call, index) =>
      callPart(call, `${path}.tool_calls[${index}]`),
    ),
  ];
}

function saidParts(message: Fields, path: string): readonly Part[] {
  const { content } = message;
  if (!Array.isArray(content)) return contents(message, path);
  return content.map((part: unknown, index): Part => {
    const at = `${path}.content[${index}]`;
    const said = fields(part, at);
    if (said["type"] === "refusal") return { type: "refusal", text: text(said["refusal"], `${at}.refusal`) };
    return contentPart(part, at);
  });
}

/** Blocks with signatures, as LiteLLM gives them; without any, the plain text of the thoughts. */
function reasoningParts(message: Fields, path: string): readonly Reasoning[] {
  const blocks = list(message["thinking_blocks"], `${path}.thinking_blocks`);
  const plain = message["reasoning_content"];
  if (blocks.length > 0) return blocks.map((block, index) => thinkingBlock(block, `${path}.thinking_blocks[${index}]`));
  return typeof plain === "string" && plain !== "" ? [{ type: "reasoning", text: plain }] : [];
}

/** A thinking block, as Messages has it in its content and LiteLLM beside a message of Chat. */
export function thinkingBlock(value: unknown, path: string): Reasoning {
  const block = fields(value, path);
  if (block["type"] === "redacted_thinking") {
    const data = text(block["data"], `${path}.data`);
    return { type: "reasoning", text: "", seal: unpacked(data) ?? { kind: "redacted", data } };
  }
  const thought = text(block["thinking"] ?? "", `${path}.thinking`);
  const signature = text(block["signature"] ?? "", `${path}.signature`);
  if (signature === "") return { type: "reasoning", text: thought };
  return { type: "reasoning", text: thought, seal: unpacked(signature) ?? { kind: "thinking", signature } };
}

const CALL: FieldTable = {
  read: ["id", "type", "function", "cache_control"],
  harmless: { index: ANY, provider_specific_fields: ANY, extra_content: ANY },
};

function callPart(value: unknown, path: string): Part {
  const call = fields(value, path);
  if ((call["type"] ?? "function") !== "function") refuse(`${path}.type`);
  known(call, CALL, path);
  const body = fields(call["function"], `${path}.function`);
  return {
    type: "call",
    id: text(call["id"], `${path}.id`),
    name: text(body["name"], `${path}.function.name`),
    arguments: text(body["arguments"] ?? "", `${path}.function.arguments`),
    ...set({ cache: (call["cache_control"] ?? undefined) as CacheMark | undefined }),
  };
}
