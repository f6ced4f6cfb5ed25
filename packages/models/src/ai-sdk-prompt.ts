import type { LanguageModelV4CallOptions, LanguageModelV4Message, LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { ModelContent, ModelMessage, ModelPart, ModelRequest } from "@handrail/core/ports/model";
import { parseJson } from "./json.ts";
import { ownData, type Owner } from "./provider-data.ts";

type ProviderOptions = NonNullable<LanguageModelV4Message["providerOptions"]>;
type AssistantPart = Extract<LanguageModelV4Message, { role: "assistant" }>["content"][number];
type UserPart = Extract<LanguageModelV4Message, { role: "user" }>["content"][number];
type ToolPart = Extract<LanguageModelV4Message, { role: "tool" }>["content"][number];

/** A request in the words of the AI SDK's provider specification (version 4). */
export function aiSdkCall(request: ModelRequest, owner: Owner, signal: AbortSignal): LanguageModelV4CallOptions {
  const tools = request.tools.map(({ name, description, parameters }) => ({
    type: "function" as const,
    name,
    description,
    inputSchema: parameters,
  }));
  return {
    prompt: aiSdkPrompt(request, owner),
    maxOutputTokens: request.maxOutputTokens,
    abortSignal: signal,
    ...(tools.length === 0 ? {} : { tools }),
  };
}

/** The prompt. Results of neighbouring calls are one message, as the specification wants them. */
export function aiSdkPrompt({ system, messages }: ModelRequest, owner: Owner): LanguageModelV4Prompt {
  const prompt: LanguageModelV4Prompt = system.trim() === "" ? [] : [{ role: "system", content: system }];
  for (const message of messages) {
    const last = prompt.at(-1);
    if (message.role === "tool" && last?.role === "tool") last.content.push(toolResult(message));
    else prompt.push(...toMessages(message, owner));
  }
  return owner.dialect === "bedrock" && owner.model.includes("claude") ? withCachePoints(prompt) : prompt;
}

/** Bedrock caches up to marked messages; Anthropic's models read what the step before wrote. */
function withCachePoints(prompt: LanguageModelV4Prompt): LanguageModelV4Prompt {
  const providerOptions = { bedrock: { cachePoint: { type: "default" } } };
  const asking = prompt.flatMap(({ role }, index) => (role === "user" || role === "tool" ? [index] : [])).slice(-2);
  return prompt.map((message, index) =>
    message.role === "system" || asking.includes(index) ? { ...message, providerOptions } : message,
  );
}

function toMessages(message: ModelMessage, owner: Owner): LanguageModelV4Message[] {
  if (message.role === "tool") return [{ role: "tool", content: [toolResult(message)] }];
  if (message.role === "user") {
    const content = contentParts(message.content);
    return content.length === 0 ? [] : [{ role: "user", content }];
  }
  const content = message.content.flatMap((part) => assistantParts(part, owner));
  return content.length === 0 ? [] : [{ role: "assistant", content }];
}

function contentParts(content: readonly ModelContent[]): UserPart[] {
  return content.flatMap((part): UserPart[] => {
    if (part.type === "image") {
      return [{ type: "file", mediaType: part.mediaType, data: { type: "data", data: part.data } }];
    }
    return part.text.trim() === "" ? [] : [{ type: "text", text: part.text }];
  });
}

function toolResult(message: Extract<ModelMessage, { role: "tool" }>): ToolPart {
  const parts = contentParts(message.content);
  const text = parts.map((part) => (part.type === "text" ? part.text : "")).join("\n");
  const plain = parts.every((part) => part.type === "text");
  const kind = message.failed ? ("error-text" as const) : ("text" as const);
  return {
    type: "tool-result",
    toolCallId: message.providerId,
    toolName: message.tool,
    output: plain ? { type: kind, value: text || "(nothing)" } : { type: "content", value: parts },
  };
}

function assistantParts(part: ModelPart, owner: Owner): AssistantPart[] {
  if (part.type === "text") return part.text.trim() === "" ? [] : [{ type: "text", text: part.text }];
  const own = ownData(owner, part.provider) as ProviderOptions | undefined;
  const options = own === undefined ? {} : { providerOptions: own };
  if (part.type === "reasoning") return own === undefined ? [] : [{ type: "reasoning", text: part.text, ...options }];
  const input = inputOf(part.arguments);
  return [{ type: "tool-call", toolCallId: part.providerId, toolName: part.tool, input, ...options }];
}

/** These APIs take only objects. What is none goes under a name that tells the model what it had said. */
function inputOf(text: string): object {
  if (text.trim() === "") return {};
  const value = parseJson(text);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : { invalid_json: text };
}
