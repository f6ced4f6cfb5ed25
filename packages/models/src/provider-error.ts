import { AppError, type ErrorCode, type ErrorDetails, isErrorCode } from "@handrail/protocol/errors";
import { at, listAt, parseJson, textAt } from "./json.ts";
import { safeText } from "./safe-text.ts";

/** What a model's API said instead of an answer. `status` 0: in the middle of a stream, with no status of its own. */
export type Rejection = {
  readonly status: number;
  readonly body: string;
  readonly headers?: Headers;
};

/** Whose error it is, for its text. `secrets` never appear in one. */
export type Source = { readonly model: string; readonly secrets: readonly string[] };

/** The error for an API's own error answer. Its message holds the API's sentence, without secrets. */
export function providerError(rejection: Rejection, source: Source): AppError {
  const said = problemOf(rejection.body);
  const own = ownCode(rejection);
  if (own !== undefined) return new AppError(own, safeText(said, source.secrets), detailsOf(rejection, source));
  const code = codeOf(rejection, said);
  const answered =
    rejection.status === 0 ? "The model's API broke off" : `The model's API answered ${rejection.status}`;
  return new AppError(
    code,
    safeText(`${answered}${HINTS[code] ?? ""}: ${said}`, source.secrets),
    detailsOf(rejection, source),
  );
}

function detailsOf({ status, headers }: Rejection, { model }: Source): ErrorDetails {
  const retryAfterMs = headers ? retryAfter(headers) : undefined;
  return {
    model,
    ...(status === 0 ? {} : { status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** Handrail's gateway names its own refusals by our table, with a sentence of its own. */
function ownCode({ headers }: Rejection): ErrorCode | undefined {
  const code = headers?.get("x-handrail-error") ?? "";
  return isErrorCode(code) ? code : undefined;
}

const HINTS: Partial<Record<ErrorCode, string>> = {
  model_unauthorized: " (check the API key)",
  model_unknown: " (check the model's name)",
  context_overflow: " (the conversation is too long for it)",
};

/** The sentence in an error body of any of the usual shapes. */
export function problemOf(body: string): string {
  if (/^\s*</.test(body)) return "a web page, not an API's answer. Check the base URL; many end in /v1";
  const json = parseJson(body);
  const first = Array.isArray(json) ? json[0] : json;
  const found = [
    textAt(first, "error", "message"),
    textAt(first, "error"),
    textAt(first, "message"),
    textAt(first, "detail"),
    textAt(listAt(first, "detail")[0], "msg"),
  ].find((text) => text !== "");
  return found ?? (body.trim() === "" ? "no explanation" : body);
}

/** Wordings of the known APIs for a prompt that does not fit. */
const OVERFLOW =
  /context[_ ]length|context[_ ]window|context size|context limit|maximum context|prompt is too long|prompt too long|input is too long|input length|input token count|too many (input |total )?tokens|exceed_context|request_too_large|reduce the length|maximum (input|prompt) length|tokens? exceeds?|exceeds? the (maximum|limit).{0,40}tokens/i;
const UNKNOWN_MODEL =
  /model[^.]{0,120}(not found|does ?n[o']t exist|not exist|not supported|unknown|no such)|(unknown|invalid|unrecognized|unsupported|no such) model|not_found_error|model_not_found|no healthy deployments/i;
const BAD_KEY =
  /api key not valid|invalid api key|incorrect api key|invalid x-api-key|authentication_error|unauthorized/i;
const NO_CREDIT = /insufficient_quota|billing|credit balance|insufficient (balance|credits|funds)/i;

type Rule = { readonly statuses: readonly number[]; readonly words?: RegExp; readonly code: ErrorCode };

/** The first rule that fits decides. */
const RULES: readonly Rule[] = [
  { statuses: [401, 403], code: "model_unauthorized" },
  { statuses: [429], words: NO_CREDIT, code: "model_rejected" },
  { statuses: [429], code: "model_rate_limited" },
  { statuses: [413], code: "context_overflow" },
  { statuses: [400, 422, 500], words: OVERFLOW, code: "context_overflow" },
  { statuses: [408, 409], code: "model_overloaded" },
  { statuses: [400, 404], words: UNKNOWN_MODEL, code: "model_unknown" },
  { statuses: [400], words: BAD_KEY, code: "model_unauthorized" },
];

function codeOf({ status, body }: Rejection, said: string): ErrorCode {
  const words = `${kindOf(body)} ${said}`;
  if (status === 0) return streamCode(words, body);
  const rule = RULES.find(({ statuses, words: wanted }) => statuses.includes(status) && (wanted?.test(words) ?? true));
  return rule?.code ?? (status >= 500 ? "model_overloaded" : "model_rejected");
}

/** An error event has no status; some bring one as their code, the others have only words. */
function streamCode(words: string, body: string): ErrorCode {
  const status = Number(at(parseJson(body), "error", "code"));
  if (status >= 400 && status < 600) return codeOf({ status, body }, words);
  if (OVERFLOW.test(words)) return "context_overflow";
  if (/rate_limit/i.test(words)) return "model_rate_limited";
  if (BAD_KEY.test(words)) return "model_unauthorized";
  return /invalid_request/i.test(words) ? "model_rejected" : "model_overloaded";
}

function kindOf(body: string): string {
  const json = parseJson(body);
  return [textAt(json, "error", "type"), textAt(json, "error", "code"), textAt(json, "error", "status")].join(" ");
}

/** Milliseconds, from `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110 section 10.2.3). */
function retryAfter(headers: Headers): number | undefined {
  const ms = Number(headers.get("retry-after-ms") ?? Number.NaN);
  if (ms >= 0) return ms;
  const after = headers.get("retry-after");
  if (after === null) return undefined;
  const seconds = Number(after);
  if (seconds >= 0) return seconds * 1000;
  const wait = Date.parse(after) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}
