import { ANY, type Harmless } from "./refuse.ts";

/** What clients of LiteLLM tell the gateway in the body. It has read them, and no provider knows them. */
export const GATEWAY_FIELDS = [
  "cache",
  "drop_params",
  "fallbacks",
  "guardrails",
  "litellm_call_id",
  "litellm_metadata",
  "litellm_params",
  "litellm_session_id",
  "litellm_trace_id",
  "num_retries",
  "tags",
  "timeout",
] as const;

/** The same as rows of a table of fields. */
export const FOR_GATEWAY: Readonly<Record<string, Harmless>> = Object.fromEntries(
  GATEWAY_FIELDS.map((name) => [name, ANY]),
);
