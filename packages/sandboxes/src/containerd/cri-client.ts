import { z } from "zod";
import { criChannel } from "./cri-channel.ts";
import { CriError } from "./cri-error.ts";
import { volumesIn } from "../image/image-volumes.ts";
import type {
  Container,
  ContainerConfig,
  ContainerStatus,
  Labels,
  Pod,
  PodConfig,
  PodNamespaces,
  RuntimeStatus,
  RuntimeVersion,
  Transfer,
} from "./cri-shapes.ts";

/** The calls that we make to a runtime. Each throws as `CriChannel` does. */
export type CriClient = ReturnType<typeof criClient>;

const RUN_MS = 60_000;
const PULL_MS = 30 * 60_000;

/** A client of the runtime behind a unix socket. The caller closes it. */
export function criClient(socketPath: string) {
  const channel = criChannel(socketPath);
  const ask = async <T>(method: string, request: object, more: { withinMs?: number; signal?: AbortSignal } = {}) =>
    // The channel decodes an answer by the message that its definition gives the method.
    (await channel.call({ method, request, ...more })) as T;
  return {
    ...podCalls(ask),
    ...containerCalls(ask),
    version: (signal: AbortSignal) => ask<RuntimeVersion>("RuntimeService/Version", {}, { signal }),

    status: async (signal: AbortSignal): Promise<RuntimeStatus> => {
      type Answer = {
        status: { conditions: RuntimeStatus["conditions"] } | null;
        info: RuntimeStatus["info"];
        runtimeHandlers: RuntimeStatus["handlers"];
      };
      const answer = await ask<Answer>("RuntimeService/Status", { verbose: true }, { signal });
      return { conditions: answer.status?.conditions ?? [], info: answer.info, handlers: answer.runtimeHandlers };
    },

    /** The image's id, or undefined when it is not there. */
    findImage: async (image: string, signal?: AbortSignal): Promise<string | undefined> => {
      const request = { image: { image } };
      const more = signal === undefined ? {} : { signal };
      const answer = await ask<{ image: { id: string } | null }>("ImageService/ImageStatus", request, more);
      return answer.image?.id;
    },

    /** Paths that an image calls volumes, where the runtime tells of its configuration, as containerd does. */
    imageVolumes: async (image: string, signal?: AbortSignal): Promise<readonly string[]> => {
      const request = { image: { image }, verbose: true };
      const more = signal === undefined ? {} : { signal };
      const { info } = await ask<{ info: Labels }>("ImageService/ImageStatus", request, more);
      return volumesIn(ImageInfo.safeParse(parsedJson(info["info"])).data?.imageSpec.config);
    },

    pullImage: async (image: string, signal: AbortSignal): Promise<void> => {
      await ask("ImageService/PullImage", { image: { image } }, { withinMs: PULL_MS, signal });
    },

    /** What containerd is fetching for CRI just now; a layer that has come is no more in it. Other runtimes do not say. */
    transfers: async (signal: AbortSignal): Promise<readonly Transfer[]> =>
      (await ask<{ statuses: Transfer[] }>("Content/ListStatuses", {}, { signal })).statuses,

    close: () => channel.close(),
  };
}

type Containers = { readonly containers: readonly Container[] };

type Ask = <T>(method: string, request: object, more?: { withinMs?: number; signal?: AbortSignal }) => Promise<T>;

function podCalls(ask: Ask) {
  return {
    /** Makes and starts a pod; gives its id. `runtimeHandler` is a name of the runtime's configuration, or empty. */
    runPod: async (config: PodConfig, runtimeHandler: string, signal: AbortSignal): Promise<string> => {
      const more = { withinMs: RUN_MS, signal };
      const request = { config, runtimeHandler };
      return (await ask<{ podSandboxId: string }>("RuntimeService/RunPodSandbox", request, more)).podSandboxId;
    },

    /** Kills all that runs in a pod and forgets it. No error when there is none. */
    removePod: async (podSandboxId: string): Promise<void> => {
      // CRI-O would give them time to end when it stops the pod, which also tells of what goes wrong here.
      const { containers } = await ask<Containers>("RuntimeService/ListContainers", { filter: { podSandboxId } });
      await Promise.allSettled(
        containers.map(({ id }) => ask("RuntimeService/StopContainer", { containerId: id, timeout: 0 })),
      );
      await ask("RuntimeService/StopPodSandbox", { podSandboxId });
      const remove = () => ask("RuntimeService/RemovePodSandbox", { podSandboxId });
      await remove().catch((thrown: unknown) => {
        // containerd notes the end of a container in the directory that it is taking away, when both come at once.
        if (!(thrown instanceof CriError && thrown.message.includes("directory not empty"))) throw thrown;
        return remove();
      });
    },

    /** Pods that have all these labels. */
    listPods: async (labelSelector: Labels): Promise<readonly Pod[]> =>
      (await ask<{ items: Pod[] }>("RuntimeService/ListPodSandbox", { filter: { labelSelector } })).items,

    podNamespaces: async (podSandboxId: string): Promise<PodNamespaces> => {
      const request = { podSandboxId, verbose: true };
      return namespacesIn((await ask<{ info: Labels }>("RuntimeService/PodSandboxStatus", request)).info);
    },
  };
}

function containerCalls(ask: Ask) {
  return {
    createContainer: async (podSandboxId: string, config: ContainerConfig, sandboxConfig: PodConfig) => {
      const request = { podSandboxId, config, sandboxConfig };
      return (await ask<{ containerId: string }>("RuntimeService/CreateContainer", request, { withinMs: RUN_MS }))
        .containerId;
    },

    startContainer: async (containerId: string): Promise<void> => {
      await ask("RuntimeService/StartContainer", { containerId }, { withinMs: RUN_MS });
    },

    /** Containers that have all these labels, ended ones too. */
    listContainers: async (labelSelector: Labels): Promise<readonly Container[]> =>
      (await ask<Containers>("RuntimeService/ListContainers", { filter: { labelSelector } })).containers,

    /** Of its first process; undefined where the runtime does not tell. */
    containerPid: async (containerId: string): Promise<number | undefined> => {
      const request = { containerId, verbose: true };
      return namespacesIn((await ask<{ info: Labels }>("RuntimeService/ContainerStatus", request)).info).pid;
    },

    containerStatus: async (containerId: string): Promise<ContainerStatus | undefined> => {
      const answer = await ask<{ status: ContainerStatus | null }>("RuntimeService/ContainerStatus", { containerId });
      return answer.status ?? undefined;
    },
  };
}

/** What containerd says of an image. */
const ImageInfo = z.object({ imageSpec: z.object({ config: z.unknown() }) });

const PodInfo = z.object({
  pid: z.int().positive().optional().catch(undefined),
  runtimeSpec: z
    .object({
      linux: z.object({ namespaces: z.array(z.object({ type: z.string(), path: z.string().optional() })) }),
    })
    .optional()
    .catch(undefined),
});

/**
 * What a runtime says under `info`: containerd the process, CRI-O the container's specification, and the process where
 * the pod has one. Empty where it says neither.
 */
export function namespacesIn(info: Labels): PodNamespaces {
  const { data } = PodInfo.safeParse(parsedJson(info["info"]));
  const network = data?.runtimeSpec?.linux.namespaces.find(({ type }) => type === "network");
  return { pid: data?.pid, networkPath: network?.path };
}

function parsedJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "{}");
  } catch {
    return undefined;
  }
}
