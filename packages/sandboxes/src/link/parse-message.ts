import { AppError } from "@handrail/protocol/errors";
import { hasMoreValues } from "@handrail/protocol/json-values";
import { FromSandboxd } from "@handrail/protocol/sandboxd/from-sandboxd";

/** More than any answer has within the size of a frame. */
const MAX_VALUES = 500_000;

/**
 * A message of sandboxd. One of very many values, which would take long to read, is not looked at.
 * @throws AppError `sandboxd_protocol`; others for what is no message
 */
export function parseMessage(payload: Uint8Array): FromSandboxd {
  if (payload.length > MAX_VALUES && hasMoreValues(payload, MAX_VALUES)) {
    throw new AppError("sandboxd_protocol", "A message of the sandbox has too many values.");
  }
  return FromSandboxd.parse(JSON.parse(new TextDecoder().decode(payload)));
}
