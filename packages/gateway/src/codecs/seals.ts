import { parseJson, textAt } from "@handrail/models/json";

/**
 * What a provider wants back with reasoning, unchanged. `thinking` and `redacted` are Anthropic's, `item` is a reasoning item
 * of Responses (`parts`: the lengths of its summary's parts), `sdk` is an AI SDK provider's metadata, in some cases of the text
 * before it.
 */
export type Seal =
  | { readonly kind: "thinking"; readonly signature: string }
  | { readonly kind: "redacted"; readonly data: string }
  | { readonly kind: "item"; readonly id: string; readonly encrypted: string; readonly parts: readonly number[] }
  | { readonly kind: "sdk"; readonly metadata: unknown; readonly on?: "text" };

const PREFIX = "hr1.";

/** A seal as text, for a field that the client's format keeps for another provider's seals. */
export function packed(seal: Seal): string {
  return PREFIX + Buffer.from(JSON.stringify(seal)).toString("base64url");
}

/** The seal in a text made by `packed`; undefined for any other text. */
export function unpacked(text: string): Seal | undefined {
  if (!text.startsWith(PREFIX)) return undefined;
  const seal = parseJson(Buffer.from(text.slice(PREFIX.length), "base64url").toString("utf8"));
  return Object.hasOwn(KINDS, textAt(seal, "kind")) ? (seal as Seal) : undefined;
}

const KINDS = { thinking: true, redacted: true, item: true, sdk: true };

/** What separates the parts of a summary that become one text. */
export const SUMMARY_BREAK = "\n\n";

/** The parts that were joined with `SUMMARY_BREAK`, by their lengths; one part where the text is another one. */
export function summaryParts(text: string, lengths: readonly number[]): readonly string[] {
  const parts: string[] = [];
  let at = 0;
  for (const length of lengths) {
    parts.push(text.slice(at, at + length));
    at += length + SUMMARY_BREAK.length;
  }
  if (parts.join(SUMMARY_BREAK) === text) return parts;
  return text === "" ? [] : [text];
}
