import { setTimeout as delay } from "node:timers/promises";
import { type AppError, toAppError } from "@handrail/protocol/errors";
import type { DockerClient } from "./docker-client.ts";

const RETRY_MS = 200;

/**
 * Waits until the daemon answers: one beside the server may start after it, or start again. An outage is waited for
 * once: after `waitMs` from when it was first noticed, whoever asks fails at once until the daemon is back.
 * @throws AppError `backend_unavailable`, of the last try; the signal's reason when aborted
 */
export type DaemonGate = (signal: AbortSignal, onProgress?: (text: string) => void) => Promise<void>;

export function daemonGate(client: Pick<DockerClient, "ping" | "address">, waitMs: number): DaemonGate {
  let lostAt: number | undefined;
  const lookAt = async (signal: AbortSignal): Promise<AppError | undefined> => {
    const failure = await client.ping(signal).then(() => undefined, toAppError);
    signal.throwIfAborted();
    lostAt = failure === undefined ? undefined : (lostAt ?? performance.now());
    return failure;
  };
  return async (signal, onProgress) => {
    for (let tries = 1; ; tries++) {
      const failure = await lookAt(signal);
      if (failure === undefined) return;
      const leftMs = (lostAt ?? 0) + waitMs - performance.now();
      if (leftMs <= 0) throw failure;
      if (tries === 1) onProgress?.(`Waiting for the Docker daemon at ${client.address}.`);
      await delay(Math.min(RETRY_MS, leftMs), undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  };
}
