import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "@handrail/protocol/errors";

const PATIENCE_MS = 5_000;

/**
 * Kills the processes that `list` gives until it gives none.
 * @throws AppError `sandbox_failed` when some are still there after 5 s
 */
export async function killAll(list: () => Promise<readonly number[]>): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  for (let left = await list(); left.length > 0; left = await list()) {
    if (performance.now() > until)
      throw new AppError("sandbox_failed", "The sandbox could not be ended.", { left: left.length });
    left.forEach(killProcess);
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
