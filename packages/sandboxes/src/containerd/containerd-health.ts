import type { BackendHealth } from "@handrail/core/ports/sandbox";
import { toAppError } from "@handrail/protocol/errors";
import { profilesHad } from "../profiles.ts";
import type { CriClient } from "./cri-client.ts";
import type { RuntimeStatus, RuntimeVersion } from "./cri-shapes.ts";
import type { NoFence, RootFence } from "./root-fence.ts";
import { fenceText } from "./root-fence.ts";
import { containerdConfig, networkPlugins } from "./runtime-facts.ts";

const NETWORK_REMEDY = "Give Handrail a CNI configuration of its own, as the guide's page on installing says.";

/** Whether the runtime can be used, in words. Rejects only with the signal's reason. */
export async function containerdHealth(
  client: CriClient,
  runtimeHandler: string,
  signal: AbortSignal,
): Promise<BackendHealth> {
  if (process.getuid?.() !== 0) {
    return broken("The server is not root.", "Run it as root, or use another sandbox backend.");
  }
  try {
    const [version, status] = await Promise.all([client.version(signal), client.status(signal)]);
    return healthOf(version, status, runtimeHandler);
  } catch (thrown) {
    signal.throwIfAborted();
    const { message } = toAppError(thrown);
    const [detail = message, ...remedy] = message.split(/(?<=\.) (?=[A-Z])/);
    return broken(detail, remedy.length === 0 ? "Look into the runtime's log." : remedy.join(" "));
  }
}

/** As `health`, with what sandboxes are not bounded in. `memoryDirectories`: /tmp and the like are in memory. */
export function withLimits(
  health: BackendHealth,
  { disks, memoryDirectories }: { readonly disks: boolean; readonly memoryDirectories: boolean },
): BackendHealth {
  const missing = [...(disks ? [] : ["a workspace's size"]), ...(memoryDirectories ? [] : ["/tmp"])];
  if (missing.length === 0) return health;
  const detail = `${health.detail}; no limits on: ${missing.join(", ")}`;
  if (memoryDirectories) return { ...health, detail };
  return { ...health, detail, remedy: "Let the server and the runtime share their mounts (no PrivateTmp)." };
}

/** What a runtime says of itself, in words. An empty `runtimeHandler` is the runtime's own choice. */
export function healthOf(version: RuntimeVersion, status: RuntimeStatus, runtimeHandler: string): BackendHealth {
  const what = partsOf(version, status, runtimeHandler).join(", ");
  const failed = status.conditions.find((condition) => isNeeded(condition.type) && !condition.status);
  if (failed !== undefined) {
    const remedy = failed.type === "NetworkReady" ? NETWORK_REMEDY : "Look into the runtime's log.";
    return broken(`${what}: ${failed.type} is false (${failed.message || failed.reason}).`, remedy);
  }
  // A handler can have a CNI configuration of its own, which is not told; each start looks at what a pod really got.
  const plugins = runtimeHandler === "" ? networkPlugins(status) : [];
  if (plugins.length > 0) {
    return broken(`${what}: pods would get a network (${plugins.join(", ")}).`, NETWORK_REMEDY);
  }
  return { name: "containerd", works: true, detail: what, profiles: profilesHad({ root: false }) };
}

/** As `health`, with what there is to say of the profile dev. `wanted`: the settings name a handler for it. */
export function withFence(health: BackendHealth, found: RootFence | NoFence, wanted: boolean): BackendHealth {
  const profiles = profilesHad({ root: "by" in found });
  const told = { ...health, detail: `${health.detail}; ${fenceText(found)}`, profiles };
  return wanted && "remedy" in found ? { ...told, remedy: found.remedy } : told;
}

function partsOf(version: RuntimeVersion, status: RuntimeStatus, runtimeHandler: string): readonly string[] {
  const { defaultRuntimeName, snapshotter } = containerdConfig(status);
  const handler = runtimeHandler === "" ? defaultRuntimeName : runtimeHandler;
  const parts = [`${version.runtimeName} ${version.runtimeVersion}`, handler, snapshotter];
  return parts.filter((part) => part !== undefined);
}

function isNeeded(condition: string): boolean {
  return condition === "RuntimeReady" || condition === "NetworkReady";
}

function broken(detail: string, remedy: string): BackendHealth {
  return { name: "containerd", works: false, detail, remedy, profiles: [] };
}
