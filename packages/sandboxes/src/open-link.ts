import { setTimeout as delay } from "node:timers/promises";
import { AppError, toAppError } from "@handrail/protocol/errors";
import type { LinkOptions, SandboxLink } from "./link/sandbox-link.ts";
import { openLink } from "./link/sandbox-link.ts";

const PATIENCE_MS = 15_000;
const FIRST_RETRY_MS = 10;
const MAX_RETRY_MS = 200;

/**
 * Connects to a sandbox that may still be starting, trying again until it answers.
 * @throws AppError `sandbox_gone` once it has ended, `sandboxd_mismatch`, or what the last try said after 15 s; the
 * signal's reason when aborted
 */
export async function openLinkSoon(options: LinkOptions, signal: AbortSignal): Promise<SandboxLink> {
  const until = performance.now() + PATIENCE_MS;
  for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(MAX_RETRY_MS, delayMs * 2)) {
    try {
      return await openLink({ ...options, signal });
    } catch (thrown) {
      signal.throwIfAborted();
      if (isFinal(toAppError(thrown)) || performance.now() > until) throw thrown;
    }
    if ((await options.isAlive?.()) === false) throw new AppError("sandbox_gone", "The sandbox ended at its start.");
    await delay(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

function isFinal({ code }: AppError): boolean {
  return code === "sandbox_gone" || code === "sandboxd_mismatch" || code === "forbidden";
}
