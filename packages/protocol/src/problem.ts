import { ERRORS, type AppError } from "./errors.ts";
import type { Problem } from "./route.ts";

/** Problem details (RFC 9457) of an error; causes and stacks stay here. */
export function problemOf(error: AppError): Problem {
  const { status } = ERRORS[error.code];
  return {
    type: "about:blank",
    title: error.code.replaceAll("_", " "),
    status,
    code: error.code,
    detail: error.message,
    details: error.details,
  };
}
