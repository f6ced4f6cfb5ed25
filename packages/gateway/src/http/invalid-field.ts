import { AppError } from "@handrail/protocol/errors";
import type { z } from "zod";

/** The first thing that is wrong with a request, by the name of the field. */
export function invalidField({ issues: [issue] }: z.ZodError): AppError {
  const field = (issue?.path ?? []).map(String).join(".").slice(0, 200);
  const message = `${issue?.message ?? "The request is not valid"}.`;
  return field === ""
    ? new AppError("bad_request", message)
    : new AppError("bad_request", `${field}: ${message}`, { field });
}
