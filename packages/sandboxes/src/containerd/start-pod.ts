import { access } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "@handrail/protocol/errors";
import { LABEL } from "../labels/made-names.ts";
import { explainExit } from "../explain-exit.ts";
import { writeEtcFiles } from "../local/etc-files.ts";
import { SANDBOXD_LOG, sandboxdLog } from "../local/launch-sandboxd.ts";
import type { Launched, LocalStart } from "../local/local-backend.ts";
import { diskLog, hasDisk } from "../disk/workspace-disk.ts";
import { limitsUnder, PROFILES } from "../profiles.ts";
import { POD_IDS } from "../sandbox-user.ts";
import { requireSandboxd } from "../sandboxd-programs.ts";
import { boundFence, boundPod } from "./bound-fence.ts";
import type { ContainerdParts } from "./containerd-backend.ts";
import { PAUSE_IMAGE } from "./containerd-images.ts";
import type { CriClient } from "./cri-client.ts";
import { CriError, withoutPauseImage } from "./cri-error.ts";
import type { ContainerConfig, PodConfig } from "./cri-shapes.ts";
import { containerConfig, type ContainerWish, podConfig, sharedBy } from "./pod-config.ts";
import { requireLoopbackOnly } from "./pod-network.ts";
import type { HostPlaces } from "./host-places.ts";
import { hostPlaces } from "./host-places.ts";
import { requireFence } from "./root-fence.ts";
import { unlessAborted } from "../shared-work.ts";
import { together } from "../together.ts";

/** Only one that ends at its start is told of by this. */
const LOOK_MS = 250;

/**
 * Starts the pod of a sandbox with its one container. What was made is there when this fails, too: the caller removes
 * it by its label.
 */
export async function startPod(parts: ContainerdParts, start: LocalStart): Promise<Launched> {
  const { client, names } = parts;
  const { record, place } = start;
  const uid = requireUid(record.uid);
  const fence = PROFILES[record.profile].root ? requireFence(await parts.rootFence(start.signal)) : undefined;
  await requireSandboxd(parts.programs);
  await unlessAborted(parts.pauseImage(), start.signal);
  const labels = { ...names.labels(place.conversationId), [LABEL.sandbox]: record.sandboxId, ...names.madeHere() };
  const pod = podConfig({
    name: names.container(place.conversationId),
    sandboxId: record.sandboxId,
    labels,
    firstId: fence?.by === "users" ? uid : undefined,
    seccompFile: await parts.seccomp.podFile(),
  });
  const containers = parts.containers && fence?.by === "kernel";
  const limits = limitsUnder(record.profile, parts.limits);
  const places = hostPlaces(parts, start, { uid, ids: fence === undefined ? 1 : POD_IDS, bytes: limits.tmpBytes });
  try {
    const [podId, { reference, volumes: imageVolumes }, own] = await together(start.signal, [
      (signal) => runPod(parts, pod, fence?.handler ?? parts.runtimeHandler, signal),
      (signal) => parts.images.ensure({ image: record.image, onProgress: start.onProgress, signal }),
      () => ownFiles(parts, start, { uid, fence, containers }, places),
    ]);
    const config = containerConfig({
      start,
      image: reference,
      imageVolumes,
      uid,
      fence,
      containers,
      limits,
      labels,
      ...own,
    });
    const containerId = await explainedByImage(reference, () => runContainer(client, { podId, config, pod, start }));
    if (fence !== undefined) await boundFence(client, fence, { podId, containerId, limits });
    // What kernel a handler has that was named for all profiles is not asked.
    else if (parts.runtimeHandler !== "") await boundPod(client, podId, limits);
    const failed = watch(client, containerId, (exitCode) => lastWords(start, reference, exitCode));
    return { ...failed, settled: places.release() };
  } catch (thrown) {
    await places.release();
    throw thrown;
  }
}

/** What of the host the container is made with. */
async function ownFiles(
  parts: ContainerdParts,
  start: LocalStart,
  { uid, fence, containers }: Pick<ContainerWish, "uid" | "fence"> & { readonly containers: boolean },
  places: HostPlaces,
) {
  const { place, record } = start;
  const etcDirectory = join(place.root, "etc");
  writeEtcFiles(etcDirectory, uid);
  const [unifiedCgroups, ready] = await Promise.all([hasUnifiedCgroups(), places.ready]);
  const shared = sharedBy({ start, fence, files: ready.files }).length > 0;
  const seccompFile = await parts.seccomp.fileOf(record.profile, { containers, shared });
  return { programs: parts.programs, etcDirectory, seccompFile, unifiedCgroups, ...ready };
}

type Container = {
  readonly podId: string;
  readonly config: ContainerConfig;
  readonly pod: PodConfig;
  readonly start: LocalStart;
};

/** Makes the container while it is looked at what network its pod has, and starts it when that is none. */
async function runContainer(client: CriClient, { podId, config, pod, start }: Container): Promise<string> {
  const [id] = await together(start.signal, [
    () => client.createContainer(podId, config, pod),
    async () => requireLoopbackOnly(await client.podNamespaces(podId)),
  ]);
  await client.startContainer(id);
  return id;
}

/** containerd looks for the shell when a container is started, CRI-O when it is made. */
async function explainedByImage<T>(image: string, begin: () => Promise<T>): Promise<T> {
  try {
    return await begin();
  } catch (thrown) {
    throw thrown instanceof CriError ? unstartable(image, thrown) : thrown;
  }
}

async function runPod(parts: ContainerdParts, pod: PodConfig, handler: string, signal: AbortSignal): Promise<string> {
  const run = () => parts.client.runPod(pod, handler, signal);
  try {
    return await run();
  } catch (thrown) {
    const missing = thrown instanceof CriError ? withoutPauseImage(thrown, PAUSE_IMAGE) : undefined;
    // Somebody may have taken the image away since it was handed over.
    if (missing !== undefined && (await parts.images.ensurePause(signal))) return run();
    throw missing ?? thrown;
  }
}

/** What the runtime says when it cannot run the image's shell. */
function unstartable(image: string, cause: CriError): Error {
  if (/exec format error/i.test(cause.message)) {
    return new AppError("image_unavailable", `The image ${image} is for another processor.`, { image }, { cause });
  }
  if (!/executable file not found|no such file or directory/i.test(cause.message)) return cause;
  const message = `The image ${image} has no shell. Choose an image that has bash or /bin/sh.`;
  return new AppError("image_unavailable", message, { image }, { cause });
}

/** Looks at a container until it has ended or is let go; CRI has no call that waits in all its versions. */
function watch(client: CriClient, containerId: string, explain: (exitCode: number) => Promise<AppError>): Launched {
  const failed = Promise.withResolvers<AppError>();
  const released = new AbortController();
  const look = async (): Promise<void> => {
    for (;;) {
      await delay(LOOK_MS, undefined, { signal: released.signal });
      const status = await client.containerStatus(containerId);
      if (status?.state === "CONTAINER_EXITED") return failed.resolve(await explain(status.exitCode));
    }
  };
  // Without an answer nothing is known; the connection to the sandbox tells.
  look().catch(() => undefined);
  return { failed: failed.promise, release: () => released.abort() };
}

async function lastWords({ place }: LocalStart, image: string, exitCode: number): Promise<AppError> {
  const onDisk = await hasDisk(place.image);
  const said = onDisk ? await diskLog(place.image, `/state/${SANDBOXD_LOG}`) : await sandboxdLog(place.state);
  return (
    explainExit(image, exitCode, said) ??
    new AppError("sandbox_failed", "The sandbox ended at its start.", { exitCode })
  );
}

function requireUid(uid: number | undefined): number {
  if (uid !== undefined) return uid;
  throw new AppError("backend_unavailable", "containerd sandboxes take a server that runs as root.");
}

function hasUnifiedCgroups(): Promise<boolean> {
  return access("/sys/fs/cgroup/cgroup.controllers").then(
    () => true,
    () => false,
  );
}
