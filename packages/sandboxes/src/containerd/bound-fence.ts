import { AppError } from "@handrail/protocol/errors";
import type { SandboxLimits } from "../limits.ts";
import { boundGroupsOf } from "../local/cgroups.ts";
import type { CriClient } from "./cri-client.ts";
import type { RootFence } from "./root-fence.ts";

/** Of a kernel of its own: gVisor has some hundred before the first program, and ends when it gets no more. */
const KERNEL_THREADS = 256;

type Fenced = { readonly podId: string; readonly containerId: string; readonly limits: SandboxLimits };

/**
 * Bounds what programs that are root use, where the container's own limits do not: a kernel of its own runs in the pod's
 * control groups, for which CRI takes no limits; and root of a user namespace has thousands of users, whose processes the
 * limit of one user does not count. @throws AppError `backend_unavailable` where it cannot be bounded
 */
export async function boundFence(client: CriClient, fence: RootFence, fenced: Fenced): Promise<void> {
  if (await bounded(client, fence, fenced)) return;
  const message =
    "The runtime does not keep the sandbox in control groups of its own, so nothing would bound it. Use another profile, or the docker backend.";
  throw new AppError("backend_unavailable", message, { profile: "dev" });
}

async function bounded(client: CriClient, fence: RootFence, fenced: Fenced): Promise<boolean> {
  const { podId, containerId, limits } = fenced;
  if (fence.by === "kernel") return boundPod(client, podId, limits);
  return boundGroupsOf(await client.containerPid(containerId), containerId, limits);
}

/** Bounds a pod's own control groups, in which there is a kernel of its own where its handler has one. False: not done. */
export async function boundPod(client: CriClient, podId: string, limits: SandboxLimits): Promise<boolean> {
  const { pid } = await client.podNamespaces(podId);
  return boundGroupsOf(pid, podId, { ...limits, processes: limits.processes + KERNEL_THREADS });
}
