import { problemOf, providerError } from "@handrail/models/provider-error";
import { type AppError, toAppError } from "@handrail/protocol/errors";
import type { Deployment } from "../ports/deployment.ts";

/**
 * Why a try brought no answer. `passing`: it may go well next time or elsewhere. `place`: the deployment is set up wrongly, so
 * another may do. `unable`: its lane cannot carry the request. `overflow`, `filtered`: a chain of its own may help. `refused`: the request itself is at fault.
 */
export type FailureKind = "passing" | "place" | "unable" | "overflow" | "filtered" | "refused";

export type CallFailure = {
  readonly kind: FailureKind;
  readonly error: AppError;
  readonly retryAfterMs?: number;
  /** The provider's own answer, in the client's format. */
  readonly answer?: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Buffer;
  };
};

/** What stands in front of a model answers so when the model did not answer in time. */
const GAVE_UP_WAITING: ReadonlySet<number> = new Set([504, 524]);
/** A connection that was there, and broke. */
const BROKE = /^(ECONNRESET|EPIPE|UND_ERR_(SOCKET|HEADERS_TIMEOUT|BODY_TIMEOUT|ABORTED))$/;

/**
 * Whether the provider may count a try that was sent to it and brought no answer: it did not say no, and nothing shows that it
 * never had the request.
 */
export function mayBeBilled(error: AppError, status?: number): boolean {
  if (status !== undefined) return GAVE_UP_WAITING.has(status);
  const { code, details } = error;
  if (code === "model_unreachable") return BROKE.test(String(details["reason"]));
  return code === "model_timeout" || (code === "model_stream_broken" && details["served"] !== false);
}

const FILTERED = /content_filter|content_policy|responsibleaipolicy|content management policy|safety system/i;
/** A gateway's word, also LiteLLM's, for a budget that is used up there. */
const SPENT = /"type": ?"budget_exceeded"/;
const PASSING = new Set([
  "model_overloaded",
  "model_rate_limited",
  "model_unreachable",
  "model_timeout",
  "model_stream_broken",
]);
const PLACE = new Set(["model_unauthorized", "model_unknown", "config_invalid"]);

/** Of an answer that says no. */
export function answeredFailure(
  answer: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Buffer },
  deployment: Deployment,
): CallFailure {
  const text = answer.body.toString("utf8", 0, 64 * 1024);
  const rejection = { status: answer.status, body: text, headers: new Headers(retryHeaders(answer.headers)) };
  const error = providerError(rejection, { model: deployment.model, secrets: secretsOf(deployment) });
  const { retryAfterMs } = error.details;
  return {
    kind: kindOf(error, text, answer.headers),
    error,
    answer,
    ...(typeof retryAfterMs === "number" && { retryAfterMs }),
  };
}

function retryHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("retry-after")));
}

function kindOf(error: AppError, body: string, headers: Readonly<Record<string, string>>): FailureKind {
  if (error.code === "context_overflow") return "overflow";
  if (FILTERED.test(body) && error.details["status"] === 400) return "filtered";
  if (SPENT.test(body)) return "place";
  if (headers["x-should-retry"] === "false") return PLACE.has(error.code) ? "place" : "refused";
  if (PASSING.has(error.code)) return "passing";
  return PLACE.has(error.code) || lacksCredit(error, body) ? "place" : "refused";
}

/** A 429 that is no rate limit, a 402, or whatever says so. */
function lacksCredit({ code, details: { status } }: AppError, body: string): boolean {
  if (status === 402 || (status === 429 && code === "model_rejected")) return true;
  return /insufficient_quota|billing|credit balance/i.test(problemOf(body));
}

/** Of what a lane threw. */
export function thrownFailure(thrown: unknown): CallFailure {
  const error = toAppError(thrown);
  if (error.code === "request_unsupported") return { kind: "unable", error };
  if (PASSING.has(error.code)) return { kind: "passing", error };
  if (PLACE.has(error.code) || error.code === "internal") return { kind: "place", error };
  return { kind: "refused", error };
}

export function secretsOf({ apiKey, headers }: Deployment): readonly string[] {
  return [...(apiKey === undefined ? [] : [apiKey]), ...Object.values(headers ?? {})];
}
