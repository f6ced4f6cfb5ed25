import { AppError } from "@handrail/protocol/errors";

/** For a call that cannot be let through because nothing could be written of it. */
export function booksUnavailable(cause: unknown): AppError {
  const message = "The books of keys and spend do not answer. No call is let through until they do.";
  return new AppError("books_unavailable", message, {}, { cause });
}

/** For `/health/readiness`. */
export function sentence(thrown: unknown): string {
  return `The books cannot be written: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
}
