import { effortOf } from "./effort.ts";
import { writeOptions } from "./options.ts";
import type { Audio, Content, OutputFormat, Part, Prompt, Reasoning, Tool, ToolChoice, Turn } from "./prompt.ts";
import { type Fields, refuse, set } from "./refuse.ts";
import { summaryParts } from "./seals.ts";
import { urlOf } from "./sources.ts";
import type { Target, WriteRequest } from "./target.ts";

/** A prompt as a request of Responses. Nothing is kept at the provider: sealed reasoning travels with the client. */
export const writeResponsesRequest: WriteRequest = (prompt, target) => {
  const { verbosity, ...options } = prompt.options;
  noteMarks(prompt, target);
  return {
    model: target.model,
    ...(prompt.system.length === 0 ? {} : { instructions: prompt.system.map(({ text }) => text).join("\n\n") }),
    input: prompt.turns.flatMap((turn) => itemsOf(turn, target)),
    ...writeOptions("responses", options, target),
    ...(prompt.tools.length === 0 ? {} : { tools: prompt.tools.map(writeTool) }),
    ...(prompt.toolChoice === undefined ? {} : { tool_choice: writeChoice(prompt.toolChoice) }),
    ...textOf(prompt.output, verbosity),
    ...reasoningOf(prompt, target),
    store: false,
    ...(prompt.streamed ? { stream: true } : {}),
  };
};

/** OpenAI's models that reason; the others refuse to be asked for it. */
const REASONS = /(?:^|\/)(?:o\d|gpt-[5-9]|gpt-oss|codex)/;

function reasoningOf({ thinking }: Prompt, { model }: Target): Fields {
  const reasoning = set({ effort: effortOf(thinking), summary: thinking?.summary });
  const asked = Object.keys(reasoning).length > 0;
  return {
    ...(asked ? { reasoning } : {}),
    ...(asked || REASONS.test(model) ? { include: ["reasoning.encrypted_content"] } : {}),
  };
}

function noteMarks({ system, turns, tools }: Prompt, { warnings }: Target): void {
  const parts: readonly (Part | Tool)[] = [...system, ...tools, ...turns.flatMap((turn) => turn.parts)];
  if (parts.some((part) => "cache" in part)) warnings.add("cache_control was left out");
}

function itemsOf({ role, parts }: Turn, target: Target): readonly object[] {
  if (role === "assistant") return parts.flatMap(answerItem);
  const results = parts.filter((part) => part.type === "result");
  const said = parts.filter((part): part is Content | Audio => SAID.has(part.type));
  if (results.some(({ failed }) => failed)) target.warnings.add("is_error was left out");
  return [
    ...results.map(({ callId, content }) => ({
      type: "function_call_output",
      call_id: callId,
      output: outputOf(content),
    })),
    ...(said.length === 0 ? [] : [{ type: "message", role, content: said.map(inputPart) }]),
  ];
}

const SAID = new Set(["text", "image", "file", "audio"]);

function outputOf(content: readonly Content[]): unknown {
  const [only] = content;
  if (only === undefined) return "";
  return content.length === 1 && only.type === "text" ? only.text : content.map(inputPart);
}

function inputPart(part: Content | Audio): object {
  switch (part.type) {
    case "text":
      return { type: "input_text", text: part.text };
    case "audio":
      return { type: "input_audio", input_audio: { data: part.data, format: part.format } };
    case "image": {
      const { source, detail } = part;
      const place = source.kind === "id" ? { file_id: source.id } : { image_url: urlOf(source, "image") };
      return { type: "input_image", ...place, detail: detail ?? "auto" };
    }
    case "file":
      return { type: "input_file", ...placeOf(part), ...set({ filename: part.name }) };
  }
}

function placeOf({ source }: Extract<Content, { type: "file" }>): object {
  if (source.kind === "id") return { file_id: source.id };
  return source.kind === "url" ? { file_url: source.url } : { file_data: urlOf(source, "file") };
}

function answerItem(part: Part): readonly object[] {
  switch (part.type) {
    case "text":
      return [assistant({ type: "output_text", text: part.text, annotations: [] })];
    case "refusal":
      return [assistant({ type: "refusal", refusal: part.text })];
    case "call":
      return [{ type: "function_call", call_id: part.id, name: part.name, arguments: part.arguments }];
    case "reasoning":
      return reasoningItem(part);
    default:
      return refuse(`assistant.content.${part.type}`);
  }
}

function assistant(content: object): object {
  return { type: "message", role: "assistant", content: [content] };
}

/** Only the provider's own items go back, as they came. */
function reasoningItem({ text, seal }: Reasoning): readonly object[] {
  if (seal?.kind !== "item") return [];
  const summary = summaryParts(text, seal.parts).map((text) => ({ type: "summary_text", text }));
  const { id, encrypted } = seal;
  return [{ type: "reasoning", id, summary, encrypted_content: encrypted }];
}

function writeTool({ name, description, parameters, strict }: Tool): object {
  return { type: "function", name, ...set({ description }), parameters, strict: strict ?? false };
}

function writeChoice(choice: ToolChoice): unknown {
  return typeof choice === "string" ? choice : { type: "function", name: choice.name };
}

function textOf(output: OutputFormat | undefined, verbosity: unknown): Fields {
  const text = set({ format: output === undefined ? undefined : formatOf(output), verbosity });
  return Object.keys(text).length === 0 ? {} : { text };
}

function formatOf(output: OutputFormat): object {
  if (output.type === "json") return { type: "json_object" };
  const { schema, name, description, strict } = output;
  return { type: "json_schema", name: name ?? "answer", ...set({ description, strict }), schema };
}
