import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "@handrail/protocol/errors";

const PATIENCE_MS = 5_000;

/**
 * Kills the processes that `list` gives until it gives none.
 * @throws AppError `sandbox_failed` when some are still there after 5 s
 */
export async function killAll(list: () => Promise<readonly number[]>): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  for (let left = await list(); left.length > 0; left = await list()) {
    if (Date.now() > until)
      throw new AppError("sandbox_failed", "The sandbox could not be ended.", { left: left.length });
    left.forEach(kill);
    await delay(5);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // It has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
