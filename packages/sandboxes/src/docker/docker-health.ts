import type { BackendHealth } from "@handrail/core/ports/sandbox";
import { toAppError } from "@handrail/protocol/errors";
import type { DockerClient } from "./docker-client.ts";
import type { DaemonInfo } from "./docker-shapes.ts";

/** Whether the daemon can be used, in words. Rejects only with the signal's reason. */
export async function dockerHealth(client: DockerClient, signal: AbortSignal): Promise<BackendHealth> {
  try {
    return healthOf(await client.info(signal));
  } catch (thrown) {
    signal.throwIfAborted();
    return unreachableHealth(toAppError(thrown).message);
  }
}

/** What a daemon says of itself, in words. */
export function healthOf(info: DaemonInfo): BackendHealth {
  const detail = `Docker ${info.version}, ${info.storage}, ${info.cgroups}`;
  if (info.missingLimits.length === 0) return { name: "docker", works: true, detail };
  const missing = info.missingLimits.join(", ");
  return { name: "docker", works: true, detail: `${detail}; it keeps no limits on: ${missing}` };
}

/** `message` is a sentence on what is wrong, and one or more on what to do. */
function unreachableHealth(message: string): BackendHealth {
  const [detail = message, ...remedy] = message.split(/(?<=\.) (?=[A-Z])/);
  const advice =
    remedy.length === 0 ? "Check that the Docker daemon runs and that this user may use it." : remedy.join(" ");
  return { name: "docker", works: false, detail, remedy: advice };
}
