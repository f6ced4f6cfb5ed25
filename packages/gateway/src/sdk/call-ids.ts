import { parseJson } from "@handrail/models/json";
import type { Part, Prompt } from "../codecs/prompt.ts";

/**
 * Gemini wants the signature of a thought back with the call that the thought led to. No client format has a place for it that
 * every client sends back, save the call's id: it goes there, after the mark that LiteLLM puts there too.
 */
const MARK = "__thought__";

/** A call's id with what its provider wants back. */
export function markedId(id: string, metadata: object | undefined): string {
  if (metadata === undefined || Object.keys(metadata).length === 0) return id;
  return id + MARK + Buffer.from(JSON.stringify(metadata)).toString("base64url");
}

/** The call's own id. */
export function plainId(id: string): string {
  return id.split(MARK, 1)[0] ?? id;
}

/** What was put into an id; undefined when nothing was. */
export function metadataOf(id: string): object | undefined {
  const [, packed] = id.split(MARK, 2);
  if (packed === undefined) return undefined;
  const value = parseJson(Buffer.from(packed, "base64url").toString("utf8"));
  return typeof value === "object" && value !== null ? value : undefined;
}

/** The prompt with plain ids, for providers to whom the marks mean nothing and who limit the length of ids. */
export function withPlainIds(prompt: Prompt): Prompt {
  const turns = prompt.turns.map((turn) => ({ ...turn, parts: turn.parts.map(withPlainId) }));
  return { ...prompt, turns };
}

function withPlainId(part: Part): Part {
  if (part.type === "call") return { ...part, id: plainId(part.id) };
  return part.type === "result" ? { ...part, callId: plainId(part.callId) } : part;
}
