import type { ModelContent, ModelImage, ModelMessage, ModelPart, ModelRequest } from "@handrail/core/ports/model";
import { type Opaque, ownData, type Owner } from "./provider-data.ts";

/** The `messages` of a Chat Completions request: those of a shorter request are the first of a longer one. */
export function openAiMessages({ system, messages }: ModelRequest, owner: Owner): readonly object[] {
  return [
    ...(system === "" ? [] : [{ role: "system", content: system }]),
    ...messages.flatMap((message, index) => toMessages(message, owner, { messages, index })),
  ];
}

/** Where a message stands: what comes before and after it is looked up only when it matters. */
type Place = { readonly messages: readonly ModelMessage[]; readonly index: number };

function toMessages(message: ModelMessage, owner: Owner, place: Place): readonly object[] {
  switch (message.role) {
    case "user":
      return [{ role: "user", content: userContent(message.content) }];
    case "assistant":
      return assistantMessage(message.content, owner);
    case "tool":
      return [toolMessage(message), ...imagesMessage(place)];
  }
}

type ToolMessage = Extract<ModelMessage, { role: "tool" }>;

/** A tool message holds only text; `imagesMessage` brings the images. */
function toolMessage({ providerId, content }: ToolMessage): object {
  const text = joined(content);
  const images = content.filter((part) => part.type === "image").length;
  const note = images === 0 ? "" : `(${images === 1 ? "The image follows" : `${images} images follow`}.)`;
  return { role: "tool", tool_call_id: providerId, content: [text, note].filter(Boolean).join("\n") || "(nothing)" };
}

/** After the last of neighbouring tool messages, their images as a user message: nothing may come between the tools'. */
function imagesMessage({ messages, index }: Place): readonly object[] {
  if (messages[index + 1]?.role === "tool") return [];
  let start = index;
  while (messages[start - 1]?.role === "tool") start -= 1;
  const results = messages.slice(start, index + 1).filter((message) => message.role === "tool");
  const parts = results.flatMap(({ tool, content }) => {
    const images = content.filter((part) => part.type === "image");
    return images.length === 0 ? [] : [{ type: "text", text: `Image from ${tool}:` }, ...images.map(imagePart)];
  });
  return parts.length === 0 ? [] : [{ role: "user", content: parts }];
}

/** Plain text where there are no images: not every server takes a list. */
function userContent(content: readonly ModelContent[]): string | readonly object[] {
  if (!content.some((part) => part.type === "image")) return joined(content);
  return content.flatMap((part) => {
    if (part.type === "image") return [imagePart(part)];
    return part.text === "" ? [] : [{ type: "text", text: part.text }];
  });
}

function joined(content: readonly ModelContent[]): string {
  return content.flatMap((part) => (part.type === "text" && part.text !== "" ? [part.text] : [])).join("\n");
}

function imagePart({ mediaType, data }: ModelImage): object {
  return { type: "image_url", image_url: { url: `data:${mediaType};base64,${data}` } };
}

function assistantMessage(content: readonly ModelPart[], owner: Owner): readonly object[] {
  const text = content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
  const calls = content.filter((part) => part.type === "call");
  if (text === "" && calls.length === 0) return [];
  return [
    {
      role: "assistant",
      content: text === "" ? null : text,
      ...reasoningFields(content, owner),
      ...(calls.length === 0 ? {} : { tool_calls: calls.map((call) => toolCall(call, owner)) }),
    },
  ];
}

/** Reasoning goes back in the field that it came in. */
function reasoningFields(content: readonly ModelPart[], owner: Owner): object {
  const own = content.flatMap((part) => (part.type === "reasoning" ? [ownData(owner, part.provider)] : []));
  return Object.assign({}, ...own.filter(isRecord)) as object;
}

function toolCall(call: Extract<ModelPart, { type: "call" }>, owner: Owner): object {
  const own = ownData(owner, call.provider);
  return {
    id: call.providerId,
    type: "function",
    function: { name: call.tool, arguments: call.arguments === "" ? "{}" : call.arguments },
    ...(isRecord(own) ? own : {}),
  };
}

function isRecord(value: Opaque | undefined): value is Record<string, Opaque> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
