import type { BackendHealth } from "@handrail/core/ports/sandbox";
import { toAppError } from "@handrail/protocol/errors";
import { z } from "zod";
import type { CriClient } from "./cri-client.ts";
import type { RuntimeStatus, RuntimeVersion } from "./cri-shapes.ts";

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
  return { name: "containerd", works: true, detail: what };
}

function partsOf(version: RuntimeVersion, status: RuntimeStatus, runtimeHandler: string): readonly string[] {
  const { containerd } = containerdConfig(status);
  const handler = runtimeHandler === "" ? containerd?.defaultRuntimeName : runtimeHandler;
  const parts = [`${version.runtimeName} ${version.runtimeVersion}`, handler, containerd?.snapshotter];
  return parts.filter((part) => part !== undefined);
}

function isNeeded(condition: string): boolean {
  return condition === "RuntimeReady" || condition === "NetworkReady";
}

function broken(detail: string, remedy: string): BackendHealth {
  return { name: "containerd", works: false, detail, remedy };
}

const Config = z.object({
  containerd: z.object({ snapshotter: z.string(), defaultRuntimeName: z.string() }).partial().optional(),
});

const NetworkConfig = z.object({
  Networks: z.array(
    z.object({ Config: z.object({ Plugins: z.array(z.object({ Network: z.object({ type: z.string() }) })) }) }),
  ),
});

/** Of containerd's own configuration; empty for other runtimes. */
function containerdConfig(status: RuntimeStatus): z.infer<typeof Config> {
  return parsed(Config, status.info["config"]) ?? {};
}

/** CNI plugins that make more than a loopback. Empty where the runtime does not tell. */
function networkPlugins(status: RuntimeStatus): readonly string[] {
  const networks = parsed(NetworkConfig, status.info["cniconfig"])?.Networks ?? [];
  const types = networks.flatMap(({ Config: { Plugins } }) => Plugins.map(({ Network }) => Network.type));
  return [...new Set(types)].filter((type) => type !== "loopback" && type !== "tuning");
}

function parsed<T>(schema: z.ZodType<T>, text: string | undefined): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text ?? "")).data;
  } catch {
    return undefined;
  }
}
