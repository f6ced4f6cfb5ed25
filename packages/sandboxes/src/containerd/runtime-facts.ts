import { z } from "zod";
import type { RuntimeStatus } from "./cri-shapes.ts";

const Config = z.object({
  containerd: z
    .object({ snapshotter: z.string(), defaultRuntimeName: z.string(), runtimes: z.record(z.string(), z.unknown()) })
    .partial()
    .optional(),
});

const NetworkConfig = z.object({
  Networks: z.array(
    z.object({ Config: z.object({ Plugins: z.array(z.object({ Network: z.object({ type: z.string() }) })) }) }),
  ),
});

/** Of containerd's own configuration; empty for other runtimes. */
export function containerdConfig(status: RuntimeStatus): NonNullable<z.infer<typeof Config>["containerd"]> {
  return parsed(Config, status.info["config"])?.containerd ?? {};
}

/** Names of the runtime handlers of its configuration. Empty where the runtime does not tell. */
export function handlersIn(status: RuntimeStatus): readonly string[] {
  const told = status.handlers.map(({ name }) => name).filter((name) => name !== "");
  return told.length > 0 ? told : Object.keys(containerdConfig(status).runtimes ?? {});
}

/** CNI plugins that make more than a loopback. Empty where the runtime does not tell. */
export function networkPlugins(status: RuntimeStatus): readonly string[] {
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
