import { AppError, toAppError } from "@handrail/protocol/errors";
import type { z } from "zod";

/** What fastify refuses before a handler sees it, by its own codes. */
const REFUSALS: Readonly<Record<string, () => AppError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => new AppError("body_too_large", "The request's body is too large."),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new AppError("unsupported_media_type", "The body must be JSON, with content-type application/json."),
  FST_ERR_CTP_EMPTY_JSON_BODY: () => new AppError("bad_request", "The request's body is empty; JSON is expected."),
  FST_ERR_CTP_INVALID_JSON_BODY: () => new AppError("bad_request", "The request's body is not valid JSON."),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () => new AppError("bad_request", "The body is not as long as it says."),
};

/** Turns what a request threw into an `AppError`; what we did not foresee is `internal`. */
export function requestError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const { code, statusCode } = thrown as { readonly code?: unknown; readonly statusCode?: unknown };
  const refusal = typeof code === "string" ? REFUSALS[code] : undefined;
  if (refusal !== undefined) return refusal();
  if (thrown instanceof SyntaxError && statusCode === 400)
    return new AppError("bad_request", "The request's body is not valid JSON.");
  if (typeof statusCode === "number" && statusCode >= 400 && statusCode < 500) {
    return new AppError("bad_request", "The request is not one that Handrail understands.");
  }
  return toAppError(thrown);
}

/** The first thing that is wrong with a part of a request, by the name of the field. */
export function invalidPart(part: string, error: z.ZodError): AppError {
  const [issue] = error.issues;
  const field = [part, ...(issue?.path ?? []).map(String)].join(".").slice(0, 200);
  return new AppError("bad_request", `${field}: ${issue?.message ?? "not valid"}.`, { field });
}
