import type { ServerResponse } from "node:http";
import type { Core } from "./core.ts";

/**
 * A request's body without what should not leave, and the client can see that.
 * @throws AppError `redaction_failed`
 */
export function redacted({ redactor, observer }: Core, response: ServerResponse, bytes: Buffer): Buffer {
  if (redactor === undefined) return bytes;
  const { body, count } = redactor.redact(bytes);
  response.setHeader("x-handrail-redacted", String(count));
  if (count > 0) observer.redacted?.(count);
  return body;
}
