import { AppError } from "@handrail/protocol/errors";
import type { DockerClient } from "./docker-client.ts";
import type { DaemonInfo } from "./docker-shapes.ts";

/**
 * The runtime for sandboxes that are root, which the daemon knows; undefined: its own choice.
 * @throws AppError `backend_unavailable` where it does not know it
 */
export async function requireDevRuntime({
  client,
  devRuntime,
}: {
  readonly client: Pick<DockerClient, "info">;
  readonly devRuntime: string | undefined;
}): Promise<string | undefined> {
  if (devRuntime === undefined) return undefined;
  const missing = missingRuntime(await client.info(AbortSignal.timeout(10_000)), devRuntime);
  if (missing === undefined) return devRuntime;
  throw new AppError("backend_unavailable", missing, { runtime: devRuntime });
}

/** What to do about a runtime that the daemon does not know; undefined: it does. */
export function missingRuntime({ runtimes }: DaemonInfo, devRuntime: string): string | undefined {
  if (runtimes.includes(devRuntime)) return undefined;
  const known = runtimes.join(", ");
  return `The Docker daemon has no runtime ${devRuntime} for the profile dev (it has: ${known}). Add it under "runtimes" in the daemon's daemon.json and restart the daemon, or set docker-dev-runtime to one that it has.`;
}
