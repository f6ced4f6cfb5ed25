import type { LaneCall } from "../ports/lane.ts";

/** What LiteLLM's clients tell the gateway in the body, and no provider knows. */
const OURS = [
  "cache",
  "fallbacks",
  "tags",
  "num_retries",
  "guardrails",
  "litellm_metadata",
  "litellm_session_id",
  "litellm_trace_id",
  "litellm_call_id",
  "litellm_params",
];
const WITHOUT_METADATA: ReadonlySet<string> = new Set(OURS);
const WITH_METADATA: ReadonlySet<string> = new Set([...OURS, "metadata"]);
const NONE: ReadonlySet<string> = new Set();

/** The fields of a request that do not go on. A LiteLLM behind gets what was meant for one. */
export function droppedFields({ deployment, format, parsed }: LaneCall): ReadonlySet<string> {
  if (deployment.provider === "litellm") return NONE;
  if (parsed["metadata"] === undefined) return WITHOUT_METADATA;
  const known = format === "messages" || (OPENAI.has(deployment.provider) && isOpenAiMetadata(format, parsed));
  return known ? WITHOUT_METADATA : WITH_METADATA;
}

const OPENAI: ReadonlySet<string> = new Set(["openai", "azure"]);
const MAX_PAIRS = 16;

/** OpenAI keeps up to sixteen texts with an answer that it stores. Chat Completions refuses them for others. */
function isOpenAiMetadata(format: string, { metadata, store }: LaneCall["parsed"]): boolean {
  if (format === "embeddings" || (format === "chat" && store !== true)) return false;
  if (typeof metadata !== "object" || metadata === null) return false;
  const values = Object.values(metadata);
  return values.length <= MAX_PAIRS && values.every((value) => typeof value === "string");
}
