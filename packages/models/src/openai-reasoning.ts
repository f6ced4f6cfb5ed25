import type { ReasoningPart } from "@handrail/protocol/content";
import type { Decoded } from "./dialect.ts";
import { at, type Json, listAt, textAt } from "./json.ts";
import { type Opaque, type Owner, tagged } from "./provider-data.ts";

/** Gathers the reasoning of one answer. */
export type ReasoningGatherer = {
  take(delta: Json): readonly Decoded[];
  /** The whole, or nothing when there was none. */
  part(): readonly ReasoningPart[];
};

const TEXT_FIELDS = ["reasoning_content", "reasoning"] as const;
const BLOCK_FIELDS = ["reasoning_details", "thinking_blocks"] as const;

/**
 * Reasoning in any of its fields: `reasoning_content` (DeepSeek, vLLM), `reasoning` (OpenRouter, Ollama),
 * `reasoning_details` (OpenRouter) and `thinking_blocks` (LiteLLM). Where several hold the same text it counts once.
 */
export function openAiReasoning(owner: Owner): ReasoningGatherer {
  const fields: Record<string, string> = {};
  const blocks: Record<string, Record<string, Opaque>[]> = {};
  let text = "";

  return {
    take(delta) {
      for (const field of TEXT_FIELDS) {
        const more = textAt(delta, field);
        if (more !== "") fields[field] = (fields[field] ?? "") + more;
      }
      for (const field of BLOCK_FIELDS) {
        for (const block of listAt(delta, field)) merge((blocks[field] ??= []), block);
      }
      const said = textOf(delta);
      text += said;
      return said === "" ? [] : [{ type: "reasoning", delta: said }];
    },
    part() {
      const data: Record<string, Opaque> = { ...fields, ...blocks };
      if (text === "" && Object.keys(data).length === 0) return [];
      return [{ type: "reasoning", text, provider: tagged(owner, data) }];
    },
  };
}

function textOf(delta: Json): string {
  const plain = TEXT_FIELDS.map((field) => textAt(delta, field)).find((text) => text !== "");
  if (plain !== undefined) return plain;
  const block = listAt(delta, "reasoning_details").map((item) => textAt(item, "text") || textAt(item, "summary"));
  const parts = listAt(delta, "content").filter((part) => textAt(part, "type") === "thinking");
  const thinking = parts.flatMap((part) => listAt(part, "thinking").map((inner) => textAt(inner, "text")));
  return [...block, ...thinking].join("");
}

const JOINED = ["text", "summary", "thinking"];

/** A streamed block comes in pieces of the same type and index; its texts are joined, the rest is taken over. */
function merge(blocks: Record<string, Opaque>[], piece: Json): void {
  if (typeof piece !== "object" || piece === null || Array.isArray(piece)) return;
  const last = blocks.at(-1);
  const fields = Object.entries(piece as Record<string, Opaque>).filter(([key]) => key !== "__proto__");
  if (!last || !continues(last, piece)) {
    blocks.push(Object.fromEntries(fields));
    return;
  }
  for (const [key, value] of fields) {
    if (JOINED.includes(key)) last[key] = textAt(last, key) + textAt(piece, key);
    else if (value !== null) last[key] = value;
  }
}

function continues(last: Record<string, Opaque>, piece: Json): boolean {
  const same = last["type"] === at(piece, "type") && last["index"] === at(piece, "index");
  return same && textAt(last, "signature") === "" && JOINED.some((key) => Object.hasOwn(last, key));
}
