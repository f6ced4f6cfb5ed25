import { release } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { newId } from "@handrail/protocol/ids";
import { LABEL } from "../labels/made-names.ts";
import { INSIDE } from "../sandbox-environment.ts";
import type { ContainerdParts } from "./containerd-backend.ts";
import { PAUSE_IMAGE } from "./containerd-images.ts";
import { CriError } from "./cri-error.ts";
import { podConfig, probeConfig } from "./pod-config.ts";

type Asked = Omit<ContainerdParts, "rootFence">;

const LOOK_MS = 20;
/** What ripgrep ends with. Source: rg(1) */
const ENDED = { found: 0, nothing: 1 } as const;

/**
 * Whether programs in a pod of this handler have another kernel than the machine's, by /proc/version (proc(5)). It is
 * read by our own ripgrep, which takes no library, in the pause image: nothing of others could lie about it.
 * @throws AppError `backend_unavailable`; CriError
 */
export async function hasOwnKernel(parts: Asked, handler: string, signal: AbortSignal): Promise<boolean> {
  const { client, names, programs, starting, seccomp } = parts;
  const sandboxId = newId("x", Date.now());
  const labels = { [LABEL.installation]: names.installation, [LABEL.sandbox]: sandboxId, ...names.madeHere() };
  const name = names.container(`kernel-${sandboxId}`);
  const pod = podConfig({ name, sandboxId, labels, seccompFile: await seccomp.podFile() });
  // A line without it: exit code 0 is what a program must have said, not what is left when nothing ran.
  const search = ["--no-config", "--quiet", "--invert-match", "--fixed-strings", `Linux version ${release()} `];
  const command = [`${INSIDE.programs}/rg`, ...search, "/proc/version"];
  starting.add(sandboxId);
  try {
    await parts.pauseImage();
    const podId = await client.runPod(pod, handler, signal);
    const config = probeConfig({ image: PAUSE_IMAGE, labels, programs, command });
    const containerId = await client.createContainer(podId, config, pod);
    await client.startContainer(containerId);
    return isOther(handler, await exitCode(parts, containerId, signal));
  } finally {
    for (const { id } of await client.listPods({ [LABEL.sandbox]: sandboxId })) await client.removePod(id);
    starting.delete(sandboxId);
  }
}

function isOther(handler: string, code: number): boolean {
  if (code === ENDED.found) return true;
  if (code === ENDED.nothing) return false;
  throw new CriError(`A program under ${handler} does not say what kernel it has; it ended with ${code}.`);
}

async function exitCode({ client }: Asked, containerId: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    const status = await client.containerStatus(containerId);
    if (status?.state === "CONTAINER_EXITED") return status.exitCode;
    await delay(LOOK_MS, undefined, { signal });
  }
}
