import { criChannel } from "./cri-channel.ts";
import { CriError } from "./cri-error.ts";
import type {
  Container,
  ContainerConfig,
  ContainerStatus,
  Labels,
  Pod,
  PodConfig,
  RuntimeStatus,
  RuntimeVersion,
} from "./cri-shapes.ts";

/** The calls that we make to a runtime. Each throws as `CriChannel` does. */
export type CriClient = ReturnType<typeof criClient>;

const RUN_MS = 60_000;
const PULL_MS = 30 * 60_000;

/** A client of the runtime behind a unix socket. The caller closes it. */
export function criClient(socketPath: string) {
  const channel = criChannel(socketPath);
  const ask = async <T>(method: string, request: object, more: { withinMs?: number; signal?: AbortSignal } = {}) =>
    // The channel decodes an answer by the message that cri.proto gives the method.
    (await channel.call({ method, request, ...more })) as T;
  return {
    ...podCalls(ask),
    ...containerCalls(ask),
    version: (signal: AbortSignal) => ask<RuntimeVersion>("RuntimeService/Version", {}, { signal }),

    status: async (signal: AbortSignal): Promise<RuntimeStatus> => {
      type Answer = { status: { conditions: RuntimeStatus["conditions"] } | null; info: RuntimeStatus["info"] };
      const answer = await ask<Answer>("RuntimeService/Status", { verbose: true }, { signal });
      return { conditions: answer.status?.conditions ?? [], info: answer.info };
    },

    /** The image's id, or undefined when it is not there. */
    findImage: async (image: string, signal?: AbortSignal): Promise<string | undefined> => {
      const request = { image: { image } };
      const more = signal === undefined ? {} : { signal };
      const answer = await ask<{ image: { id: string } | null }>("ImageService/ImageStatus", request, more);
      return answer.image?.id;
    },

    pullImage: async (image: string, signal: AbortSignal): Promise<void> => {
      await ask("ImageService/PullImage", { image: { image } }, { withinMs: PULL_MS, signal });
    },

    close: () => channel.close(),
  };
}

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

    /** The process of the host that holds a pod's namespaces; undefined where the runtime does not say. */
    podPid: async (podSandboxId: string): Promise<number | undefined> => {
      const request = { podSandboxId, verbose: true };
      return pidIn((await ask<{ info: Labels }>("RuntimeService/PodSandboxStatus", request)).info);
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
      (await ask<{ containers: Container[] }>("RuntimeService/ListContainers", { filter: { labelSelector } }))
        .containers,

    containerStatus: async (containerId: string): Promise<ContainerStatus | undefined> => {
      const answer = await ask<{ status: ContainerStatus | null }>("RuntimeService/ContainerStatus", { containerId });
      return answer.status ?? undefined;
    },
  };
}

/** containerd and CRI-O put JSON with the process id under `info`. */
function pidIn(info: Labels): number | undefined {
  try {
    const { pid } = JSON.parse(info["info"] ?? "{}") as { pid?: unknown };
    return typeof pid === "number" && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
