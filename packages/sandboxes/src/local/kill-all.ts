import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "@handrail/protocol/errors";

/** A program that was killed is there until the kernel has written what the file system that ends with it still holds. */
const KILLED_MS = 30_000;
const UNTOLD_MS = 5_000;

/** What one look at the processes of the machine gives. */
export type Look = {
  readonly pids: readonly number[];
  /** How many could not be told yet, because they were becoming another program. Absent: none. */
  readonly untold?: number;
};

/**
 * Kills the processes that `look` gives until it gives none and could tell them all.
 * @throws AppError `sandbox_failed` when some are still there after 30 s
 */
export async function killAll(look: () => Promise<Look>): Promise<void> {
  const from = performance.now();
  for (;;) {
    const { pids, untold = 0 } = await look();
    const took = performance.now() - from;
    // A machine on which programs start all the time always has one that cannot be told: it is likely none of these.
    if (pids.length === 0 && (untold === 0 || took > UNTOLD_MS)) return;
    if (took > KILLED_MS)
      throw new AppError("sandbox_failed", "The sandbox could not be ended.", { left: pids.length });
    pids.forEach(killProcess);
    await delay(5);
  }
}

/** No error when it has ended meanwhile. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
