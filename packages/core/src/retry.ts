import type { AppError } from "@handrail/protocol/errors";
import type { Random } from "./ports/clock.ts";

export const MAX_ATTEMPTS = 6;

const FIRST_DELAY_MS = 1000;
const MAX_DELAY_MS = 60_000;
/** A provider that asks for a longer wait than this has in effect said no. */
const MAX_RETRY_AFTER_MS = 600_000;

/**
 * How long to wait before attempt `attempt + 1` (attempts count from 1), or undefined when it is of no use. Doubles
 * from 1 s to 60 s, of which a random half is taken off so that many runs do not come back at once; the provider's
 * own `retry-after` wins where it is longer.
 */
export function retryDelayMs(error: AppError, attempt: number, random: Random): number | undefined {
  if (!error.retryable || attempt >= MAX_ATTEMPTS) return undefined;
  const asked = Number(error.details["retryAfterMs"] ?? 0);
  if (asked > MAX_RETRY_AFTER_MS) return undefined;
  const backoff = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
  return Math.max(asked, Math.round(backoff * (0.5 + random() / 2)));
}
