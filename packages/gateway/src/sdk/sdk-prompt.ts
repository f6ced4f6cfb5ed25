import type { LanguageModelV4Message, LanguageModelV4Prompt } from "@ai-sdk/provider";
import { AppError } from "@handrail/protocol/errors";
import { exactObject } from "../codecs/exact-json.ts";
import type { Audio, CacheMark, Content, Part, Prompt, Result, Source, Text, Turn } from "../codecs/prompt.ts";
import { refuse } from "../codecs/refuse.ts";
import { metadataOf, plainId } from "./call-ids.ts";

export type ProviderOptions = NonNullable<LanguageModelV4Message["providerOptions"]>;
type AssistantPart = Extract<LanguageModelV4Message, { role: "assistant" }>["content"][number];
type UserPart = Extract<LanguageModelV4Message, { role: "user" }>["content"][number];
type FilePart = Extract<UserPart, { type: "file" }>;
type ToolPart = Extract<LanguageModelV4Message, { role: "tool" }>["content"][number];

/** What differs between providers. */
export type SdkPromptOptions = {
  /** A mark for the prompt cache as the provider has it; undefined for one that has none. */
  readonly mark: ((cache: CacheMark) => ProviderOptions) | undefined;
  readonly warnings: Set<string>;
};

/** A prompt in the words of the AI SDK's provider specification (version 4). */
export function sdkPrompt(prompt: Prompt, options: SdkPromptOptions): LanguageModelV4Prompt {
  const names = new Map(
    prompt.turns.flatMap(({ parts }) => parts.flatMap((part) => (part.type === "call" ? [[part.id, part.name]] : []))),
  );
  return [
    ...prompt.system.map((part) => systemMessage(part, options)),
    ...prompt.turns.flatMap((turn, index) => {
      if (turn.role === "system") return refuse(`messages[${index}].role`, "The model takes system text first only.");
      return turn.role === "assistant" ? [assistant(turn, options)] : userMessages(turn, names, options);
    }),
  ];
}

function systemMessage(part: Text, options: SdkPromptOptions): LanguageModelV4Message {
  return { role: "system", content: part.text, ...cachePoint([part], options) };
}

/** A mark anywhere in a message is a point at its end. */
function cachePoint(parts: readonly Part[], options: SdkPromptOptions): { providerOptions?: ProviderOptions } {
  const marked = parts.findLast((part) => "cache" in part && part.cache !== undefined);
  if (!marked || !("cache" in marked)) return {};
  if (options.mark && marked.cache) return { providerOptions: options.mark(marked.cache) };
  options.warnings.add("cache_control was left out");
  return {};
}

function userMessages(
  turn: Turn,
  names: ReadonlyMap<string | undefined, string | undefined>,
  options: SdkPromptOptions,
): LanguageModelV4Message[] {
  const results = turn.parts.filter((part) => part.type === "result");
  const said = turn.parts.filter((part): part is Content | Audio => SAID.has(part.type));
  const content = said.map(userPart);
  const tool: LanguageModelV4Message = {
    role: "tool",
    content: results.map((result) => toolResult(result, names.get(result.callId))),
    ...cachePoint(results, options),
  };
  return [
    ...(results.length === 0 ? [] : [tool]),
    ...(content.length === 0 ? [] : [{ role: "user" as const, content, ...cachePoint(said, options) }]),
  ];
}

const SAID = new Set(["text", "image", "file", "audio"]);

function userPart(part: Content | Audio): UserPart {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text };
    case "audio":
      return { type: "file", mediaType: `audio/${part.format}`, data: { type: "data", data: part.data } };
    case "image":
      return filePart(part.source, "image");
    case "file":
      return { ...filePart(part.source, "file"), ...(part.name === undefined ? {} : { filename: part.name }) };
  }
}

/** The gateway fetches nothing that a request names, and these APIs mostly do not either. */
function filePart(source: Source, field: string): FilePart {
  if (source.kind === "base64") {
    return { type: "file", mediaType: source.mediaType, data: { type: "data", data: source.data } };
  }
  return refuse(field, "This model's API takes only the bytes: give them as a data URL or in base64.");
}

function toolResult(result: Result, name: string | undefined): ToolPart {
  if (name === undefined) {
    throw new AppError("bad_request", `There is no call with the id ${plainId(result.callId)}.`, {});
  }
  const { content, failed } = result;
  const texts = content.map((part) => (part.type === "text" ? part.text : ""));
  const plain = content.every((part) => part.type === "text");
  const parts = content.map(userPart).filter((part) => part.type === "text" || part.type === "file");
  const kind = failed ? ("error-text" as const) : ("text" as const);
  return {
    type: "tool-result",
    toolCallId: plainId(result.callId),
    toolName: name,
    output: plain ? { type: kind, value: texts.join("\n") } : { type: "content", value: parts },
  };
}

function assistant({ parts }: Turn, options: SdkPromptOptions): LanguageModelV4Message {
  return { role: "assistant", content: assistantParts(parts), ...cachePoint(parts, options) };
}

/** What belongs to a text comes after it, and goes back with it. */
function assistantParts(parts: readonly Part[]): AssistantPart[] {
  const seals = parts.flatMap((part) => (part.type === "reasoning" && part.seal?.kind === "sdk" ? [part.seal] : []));
  const ofText = seals.find(({ on }) => on === "text");
  const lastText = parts.findLast((part) => part.type === "text");
  return parts.flatMap((part): AssistantPart[] => {
    if (part.type === "text" && part === lastText && ofText) {
      return [{ type: "text", text: part.text, providerOptions: ofText.metadata as ProviderOptions }];
    }
    return assistantPart(part);
  });
}

function assistantPart(part: Part): AssistantPart[] {
  switch (part.type) {
    case "text":
    case "refusal":
      return part.text === "" ? [] : [{ type: "text", text: part.text }];
    case "reasoning":
      return reasoning(part);
    case "call": {
      const own = metadataOf(part.id) as ProviderOptions | undefined;
      const options = own === undefined ? {} : { providerOptions: own };
      const input = exactObject(part.arguments);
      return [{ type: "tool-call", toolCallId: plainId(part.id), toolName: part.name, input, ...options }];
    }
    default:
      return refuse(`assistant.content.${part.type}`);
  }
}

/** Only what the provider sealed is sent back to it. */
function reasoning({ text, seal }: Extract<Part, { type: "reasoning" }>): AssistantPart[] {
  if (seal?.kind !== "sdk" || seal.on === "text") return [];
  return [{ type: "reasoning", text, providerOptions: seal.metadata as ProviderOptions }];
}
