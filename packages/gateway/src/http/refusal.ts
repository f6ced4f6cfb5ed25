import { type AppError, type ErrorCode, ERRORS } from "@handrail/protocol/errors";
import { openAiProblem, writeProblem } from "../codecs/problems.ts";
import type { Problem } from "../codecs/prompt.ts";
import type { Format } from "../ports/format.ts";

/** LiteLLM's words for what went wrong, by which its clients tell errors apart. */
const LITELLM_TYPES: Readonly<Partial<Record<ErrorCode, string>>> = {
  key_missing: "auth_error",
  key_invalid: "token_not_found_in_db",
  key_expired: "expired_key",
  model_forbidden: "key_model_access_denied",
  budget_exceeded: "budget_exceeded",
  rate_limited: "throttling_error",
  books_unavailable: "no_db_connection",
};

/** An error as it goes to a client. */
export type Refusal = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
};

/** A gateway's own error in the client's format. Without a format it is in OpenAI's. */
export function refusalOf(error: AppError, format: Format | undefined): Refusal {
  const { status } = ERRORS[error.code];
  const body = problemBody(format, problemOf(error, status));
  return { status, headers: { "x-handrail-error": error.code, ...limitHeaders(error) }, body };
}

/** An error's body in the client's format. */
export function problemBody(format: Format | undefined, problem: Problem): object {
  if (format === undefined || format === "embeddings") return { error: openAiProblem(problem) };
  return writeProblem(format, problem);
}

function problemOf({ code, message, details }: AppError, status: number): Problem {
  const type = LITELLM_TYPES[code];
  const param = details["field"];
  return {
    status,
    message,
    ...(type !== undefined && { type }),
    ...(code === "model_not_found" && { code: "model_not_found" }),
    ...(typeof param === "string" && { param }),
  };
}

/**
 * A limit of the gateway's own says when to come again; a provider's does not (LiteLLM tells them apart so). Money does not come back
 * within the time that a client waits: SDKs of OpenAI and Anthropic ask no more when they are told so.
 */
function limitHeaders({ code, details }: AppError): Record<string, string> {
  const { retryAfterMs, limit, scope, resetAt } = details;
  return {
    ...(typeof retryAfterMs === "number" && { "retry-after": String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
    ...(code === "budget_exceeded" && { "x-should-retry": "false" }),
    ...(typeof limit === "string" && { rate_limit_type: limit, "x-handrail-limit": limitText(limit, scope) }),
    ...(typeof resetAt === "number" && { reset_at: new Date(resetAt).toISOString() }),
  };
}

const limitText = (limit: string, scope: unknown) => (typeof scope === "string" ? `${limit}; scope=${scope}` : limit);
