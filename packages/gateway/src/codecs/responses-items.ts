import type { AnswerPart } from "./answer.ts";
import { packed, type Seal, summaryParts } from "./seals.ts";

/** An item of the output as it stands. */
export type Item = { readonly id: string; readonly part: AnswerPart };

/** Where an item's events belong. */
export type Place = { readonly item_id: string; readonly output_index: number };

const KINDS = { text: "msg", refusal: "msg", reasoning: "rs", call: "fc" } as const;

/** An item's own id, which is the same whenever the same answer is written. */
export function itemId(type: AnswerPart["type"], answerId: string, index: number): string {
  return `${KINDS[type]}_${answerId.replace(/^[a-z]+[_-]/, "")}_${index}`;
}

/** A whole item. */
export function wholeItem({ id, part }: Item): object {
  switch (part.type) {
    case "reasoning":
      return reasoningItem(id, part);
    case "call":
      return callItem(id, part, "completed");
    default:
      return { type: "message", id, status: "completed", role: "assistant", content: [contentPart(part)] };
  }
}

/** An item before anything of it is there. */
export function openItem({ id, part }: Item): object {
  if (part.type === "reasoning") return { type: "reasoning", id, summary: [] };
  if (part.type === "call") return callItem(id, { ...part, arguments: "" }, "in_progress");
  return { type: "message", id, status: "in_progress", role: "assistant", content: [] };
}

/** The text or refusal of a message. */
export function contentPart(part: Extract<AnswerPart, { type: "text" | "refusal" }>): object {
  if (part.type === "refusal") return { type: "refusal", refusal: part.text };
  return { type: "output_text", text: part.text, annotations: [], logprobs: [] };
}

/** Seals of other providers are packed into the field for OpenAI's own. */
function reasoningItem(id: string, { text, seal }: Extract<AnswerPart, { type: "reasoning" }>): object {
  const encrypted = seal === undefined ? undefined : encryptedOf(seal);
  return {
    type: "reasoning",
    id: seal?.kind === "item" && seal.id !== "" ? seal.id : id,
    summary: partsOf(text, seal).map((text) => ({ type: "summary_text", text })),
    ...(encrypted === undefined ? {} : { encrypted_content: encrypted }),
  };
}

function partsOf(text: string, seal: Seal | undefined): readonly string[] {
  if (seal?.kind === "item") return summaryParts(text, seal.parts);
  return text === "" ? [] : [text];
}

function encryptedOf(seal: Seal): string | undefined {
  return seal.kind === "item" ? seal.encrypted : packed(seal);
}

function callItem(id: string, call: Extract<AnswerPart, { type: "call" }>, status: string): object {
  return { type: "function_call", id, call_id: call.id, name: call.name, arguments: call.arguments, status };
}
