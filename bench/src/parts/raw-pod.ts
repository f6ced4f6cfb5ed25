import { randomUUID } from "node:crypto";
import { BUILT_IMAGE } from "@handrail/sandboxes/containerd/containerd-images";
import { type CriClient, criClient } from "@handrail/sandboxes/containerd/cri-client";
import type { ContainerConfig, PodConfig } from "@handrail/sandboxes/containerd/cri-shapes";
import type { Begun } from "./sandbox-floors.ts";

const PATIENCE_MS = 60_000;
const NAMESPACES = { network: "POD", pid: "POD", ipc: "POD" } as const;
const SECURITY = {
  namespaceOptions: NAMESPACES,
  runAsUser: { value: 65_534 },
  runAsGroup: { value: 65_534 },
  readonlyRootfs: true,
  seccomp: { profileType: "RuntimeDefault" },
} as const;

let shared: { readonly client: CriClient; users: number } | undefined;

/** One client for all that are under way: to make one takes longer than its calls. */
function enter(address: string): CriClient {
  shared ??= { client: criClient(address), users: 0 };
  shared.users += 1;
  return shared.client;
}

function leave(): void {
  if (shared === undefined || --shared.users > 0) return;
  shared.client.close();
  shared = undefined;
}

/** A pod with one container that sleeps, over CRI, by this runtime handler. `remove` has to be called. */
export async function rawPod(address: string, handler = ""): Promise<Begun> {
  const client = enter(address);
  try {
    const before = performance.now();
    const podId = await start(client, handler);
    return { ms: performance.now() - before, remove: () => client.removePod(podId).finally(leave) };
  } catch (failure) {
    leave();
    throw failure;
  }
}

async function start(client: CriClient, handler: string): Promise<string> {
  const pod: PodConfig = {
    metadata: { name: `bench-${randomUUID()}`, uid: randomUUID(), namespace: "handrail-bench" },
    hostname: "bench",
    labels: {},
    linux: { securityContext: SECURITY, sysctls: {} },
  };
  const podId = await client.runPod(pod, handler, AbortSignal.timeout(PATIENCE_MS));
  await client.startContainer(await client.createContainer(podId, SLEEPING, pod));
  return podId;
}

const SLEEPING: ContainerConfig = {
  metadata: { name: "bench" },
  image: { image: BUILT_IMAGE, userSpecifiedImage: BUILT_IMAGE },
  command: ["sleep", "60"],
  workingDir: "/",
  envs: [],
  mounts: [],
  labels: {},
  linux: {
    resources: {},
    securityContext: {
      ...SECURITY,
      capabilities: { addCapabilities: [], dropCapabilities: ["ALL"] },
      noNewPrivs: true,
      maskedPaths: [],
      readonlyPaths: [],
    },
  },
};
