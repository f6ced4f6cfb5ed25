import { type AppError, type ErrorCode, toAppError } from "@handrail/protocol/errors";
import type { Sandbox } from "./ports/sandbox.ts";
import type { RunPorts } from "./run-ports.ts";

const ATTEMPTS = 5;
const FIRST_DELAY_MS = 250;

/** A sandbox that dies while it is opened, or a daemon that restarts, is a matter of moments, not of the run. */
const PASSING: readonly ErrorCode[] = ["sandbox_gone", "sandbox_failed", "backend_unavailable", "too_many_files"];

/**
 * The run's sandbox, tried again a few times when it is lost on the way.
 * @throws AppError of the last attempt; the signal's reason when aborted
 */
export async function acquireSandbox(
  { sandbox, clock }: Pick<RunPorts, "sandbox" | "clock">,
  signal: AbortSignal,
): Promise<Sandbox> {
  for (let attempt = 1; ; attempt++) {
    const opened = await sandbox(signal).catch((thrown: unknown) => {
      signal.throwIfAborted();
      return toAppError(thrown);
    });
    if (!isError(opened)) return opened;
    if (attempt >= ATTEMPTS || !PASSING.includes(opened.code)) throw opened;
    await clock.sleep(FIRST_DELAY_MS * 2 ** (attempt - 1), signal);
  }
}

const isError = (opened: Sandbox | AppError): opened is AppError => opened instanceof Error;
