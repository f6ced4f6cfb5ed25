import type { ModelContent, ModelMessage, ModelPart } from "@handrail/core/ports/model";
import { parseJson, textAt } from "./json.ts";
import { ownData, type Owner } from "./provider-data.ts";

export type Block = Readonly<Record<string, unknown>> & { readonly type: string };
export type Turn = { readonly role: "user" | "assistant"; readonly content: readonly Block[] };

export const CACHE_MARK = { cache_control: { type: "ephemeral" } } as const;

/** The messages as turns that alternate: neighbours of one role are one turn. Turns without content are left out. */
export function anthropicTurns(messages: readonly ModelMessage[], owner: Owner): readonly Turn[] {
  const turns: Turn[] = [];
  for (const message of messages) {
    const turn = toTurn(message, owner);
    const last = turn.role === turns.at(-1)?.role ? turns.pop() : undefined;
    if (turn.content.length > 0 || last) turns.push({ ...turn, content: [...(last?.content ?? []), ...turn.content] });
  }
  return turns;
}

/** The turns with cache marks on the last blocks of the last two user turns. */
export function marked(turns: readonly Turn[]): readonly Turn[] {
  const users = turns.flatMap((turn, index) => (turn.role === "user" ? [index] : [])).slice(-2);
  return turns.map((turn, index) => (users.includes(index) ? { ...turn, content: markLast(turn.content) } : turn));
}

function markLast(content: readonly Block[]): readonly Block[] {
  return content.map((block, index) => (index === content.length - 1 ? { ...block, ...CACHE_MARK } : block));
}

function toTurn(message: ModelMessage, owner: Owner): Turn {
  switch (message.role) {
    case "user":
      return { role: "user", content: blocksOf(message.content) };
    case "assistant":
      return {
        role: "assistant",
        content: withoutLastThinking(message.content.flatMap((part) => partBlocks(part, owner))),
      };
    case "tool":
      return { role: "user", content: [toolResult(message)] };
  }
}

/** Blank text is refused by the API, and so is left out. */
function blocksOf(content: readonly ModelContent[]): readonly Block[] {
  return content.flatMap((part): readonly Block[] => {
    if (part.type === "text") return part.text.trim() === "" ? [] : [{ type: "text", text: part.text }];
    return [{ type: "image", source: { type: "base64", media_type: part.mediaType, data: part.data } }];
  });
}

function toolResult({ providerId, content, failed }: Extract<ModelMessage, { role: "tool" }>): Block {
  const blocks = blocksOf(content);
  return {
    type: "tool_result",
    tool_use_id: callId(providerId),
    ...(blocks.length === 0 ? {} : { content: blocks }),
    ...(failed ? { is_error: true } : {}),
  };
}

function partBlocks(part: ModelPart, owner: Owner): readonly Block[] {
  switch (part.type) {
    case "text":
      return blocksOf([part]);
    case "reasoning":
      return thinkingBlocks(ownData(owner, part.provider), part.text);
    case "call":
      return [{ type: "tool_use", id: callId(part.providerId), name: part.tool, input: inputOf(part.arguments) }];
  }
}

/** Only this API's own thinking goes back to it, with the signature that proves that it is unchanged. */
function thinkingBlocks(own: unknown, text: string): readonly Block[] {
  const redacted = textAt(own, "redacted");
  if (redacted !== "") return [{ type: "redacted_thinking", data: redacted }];
  const signature = textAt(own, "signature");
  return signature === "" ? [] : [{ type: "thinking", thinking: text, signature }];
}

/** The API refuses an answer that ends in thinking, as a cut one does. */
function withoutLastThinking(blocks: readonly Block[]): readonly Block[] {
  const end = blocks.findLastIndex((block) => !block.type.endsWith("thinking"));
  return blocks.slice(0, end + 1);
}

/** The API takes only objects. What is none goes under a name that tells the model what it had said. */
function inputOf(text: string): object {
  if (text.trim() === "") return {};
  const value = parseJson(text);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : { invalid_json: text };
}

/** Ids of other APIs may hold characters that this one refuses. */
function callId(providerId: string): string {
  return providerId.replace(/[^\w-]/g, "_") || "_";
}
