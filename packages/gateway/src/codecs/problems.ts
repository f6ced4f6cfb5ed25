import { at, parseJson, textAt } from "@handrail/models/json";
import { problemOf } from "@handrail/models/provider-error";
import type { ChatFormat } from "../ports/format.ts";
import type { Problem } from "./prompt.ts";
import { row, set } from "./refuse.ts";

/** What an error's body of any format says. */
export function readProblem(body: string, status: number): Problem {
  return { status, message: problemOf(body), ...kindOf(parseJson(body)) };
}

/** What an error event of a stream says; undefined for an event that is none. */
export function streamProblem(event: unknown): Problem | undefined {
  const error = at(event, "error");
  const nested = typeof error === "object" && error !== null;
  if (!nested && typeof error !== "string" && at(event, "type") !== "error") return undefined;
  const message = textAt(error, "message") || textAt(event, "message") || (typeof error === "string" ? error : "");
  return { status: 0, message: message || "The model's API broke off.", ...kindOf(event) };
}

function kindOf(body: unknown): Pick<Problem, "type" | "code" | "param"> {
  const error = at(body, "error") ?? body;
  const code = at(error, "code");
  const type = textAt(error, "type");
  return set({
    type: type === "" || type === "error" ? undefined : type,
    code: typeof code === "string" || typeof code === "number" ? String(code) : undefined,
    param: textAt(error, "param") || undefined,
  });
}

/** Anthropic's words for a kind of error. The status decides where there is one. */
const ANTHROPIC: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  422: "invalid_request_error",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};
const ANTHROPIC_TYPES = new Set([...Object.values(ANTHROPIC), "api_error"]);

const OPENAI: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
};

/** An error's body in the client's format. */
export function writeProblem(format: ChatFormat, problem: Problem): object {
  return format === "messages" ? anthropicProblem(problem) : { error: openAiProblem(problem) };
}

function anthropicProblem({ status, message, type }: Problem): object {
  const own = type !== undefined && ANTHROPIC_TYPES.has(type) ? type : undefined;
  const usual = ANTHROPIC[status] ?? (status >= 400 && status < 500 ? "invalid_request_error" : "api_error");
  return { type: "error", error: { type: own ?? usual, message } };
}

/** As OpenAI and LiteLLM have it. */
export function openAiProblem({ status, message, type, code, param }: Problem): object {
  const usual = OPENAI[status] ?? (status >= 400 && status < 500 ? "invalid_request_error" : "server_error");
  return { message, type: type ?? usual, param: param ?? null, code: code ?? (status === 0 ? null : String(status)) };
}

const STATUSES: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  overloaded_error: 529,
};

/** The HTTP status of an error, also of one that came in a stream and had none. */
export function statusOf({ status, type, code }: Problem): number {
  if (status >= 400) return status;
  const told = Number(code);
  return told >= 400 && told < 600 ? told : (row(STATUSES, type) ?? 502);
}
