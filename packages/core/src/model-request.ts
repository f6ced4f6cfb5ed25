import type { ContentPart, ImagePart } from "@handrail/protocol/content";
import { base64FromBytes } from "./base64.ts";
import type { Context, ContextMessage } from "./context.ts";
import type { Model, ModelContent, ModelMessage, ModelRequest } from "./ports/model.ts";
import type { LogStore } from "./ports/log-store.ts";
import { systemPrompt } from "./system-prompt.ts";
import { ALL_TOOLS } from "./tools/all-tools.ts";

const TOOLS = ALL_TOOLS.map((tool) => tool.definition);

/** Characters of everything in the prompt that is not a message. */
export function fixedCharacters(context: Context): number {
  return systemPrompt(context.instructions).length + JSON.stringify(TOOLS).length;
}

/** The prompt for the next step. Images are read from the store; a model that takes none is told that one was there. */
export async function modelRequest(
  context: Context,
  model: Model,
  blobs: Pick<LogStore, "getBlob">,
  call: { readonly conversationId: string; readonly maxOutputTokens: number },
): Promise<ModelRequest> {
  const messages: ModelMessage[] = [];
  for (const message of context.messages) {
    messages.push(isReady(message) ? message : await readied(message, model, blobs));
  }
  return { ...call, system: systemPrompt(context.instructions), tools: TOOLS, messages };
}

/** A message without images is given as it is: it stays the same object from step to step. */
function isReady(message: ContextMessage): message is ContextMessage & ModelMessage {
  return message.role === "assistant" || message.content.every((part) => part.type === "text");
}

async function readied(message: ContextMessage, model: Model, blobs: Pick<LogStore, "getBlob">): Promise<ModelMessage> {
  if (message.role === "assistant") return message;
  const content = await Promise.all(message.content.map((part) => readiedPart(part, model, blobs)));
  return { ...message, content };
}

async function readiedPart(part: ContentPart, model: Model, blobs: Pick<LogStore, "getBlob">): Promise<ModelContent> {
  if (part.type === "text") return part;
  if (!model.images) return { type: "text", text: "[an image was here; this model takes none]" };
  return { type: "image", mediaType: part.mediaType, data: await imageData(part, blobs) };
}

async function imageData(part: ImagePart, blobs: Pick<LogStore, "getBlob">): Promise<string> {
  return base64FromBytes(await blobs.getBlob(part.blob));
}
