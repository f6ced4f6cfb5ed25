import { join } from "node:path";
import type { BackendHealth, SandboxBackend } from "@handrail/core/ports/sandbox";
import { AppError, toAppError } from "@handrail/protocol/errors";
import type { SandboxProfile } from "@handrail/protocol/sources";
import { madeNames, LABEL } from "../labels/made-names.ts";
import type { HeldLock } from "../labels/makers.ts";
import { cacheDirectoryOr } from "../image/cache-directory.ts";
import type { SandboxLimits } from "../limits.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import type { Launched, LocalOptions, LocalRunner, LocalStart } from "../local/local-backend.ts";
import type { WorkspaceBound } from "../local/conversation-place.ts";
import { localBackend } from "../local/local-backend.ts";
import { collectMounts, collectPods } from "./collect-pods.ts";
import { containerdHealth, withFence, withLimits } from "./containerd-health.ts";
import { containerdImages } from "./containerd-images.ts";
import { criClient } from "./cri-client.ts";
import { explained } from "./cri-error.ts";
import { hasOwnKernel } from "./handler-kernel.ts";
import { unmountDisk } from "../disk/mounted-disk.ts";
import { removeOldProbes } from "../disk/disk-probes.ts";
import { disksWork } from "../disk/workspace-disk.ts";
import { once, onceTrue } from "../once.ts";
import { limitsUnder, PROFILES } from "../profiles.ts";
import { listenerSharesMounts } from "./listener-mounts.ts";
import type { NoFence, RootFence } from "./root-fence.ts";
import { findRootFence, requireFence, unasked } from "./root-fence.ts";
import { POD_IDS, sandboxUid } from "../sandbox-user.ts";
import { portablePrograms } from "../sandboxd-programs.ts";
import { removeScratch } from "./scratch.ts";
import { seccompProfiles } from "./seccomp-profiles.ts";
import { tryEach } from "../try-each.ts";
import { startPod } from "./start-pod.ts";

export type ContainerdOptions = LocalOptions & {
  /** The unix socket of containerd, or of another runtime that speaks CRI; undefined: containerd's usual one. */
  readonly address: string | undefined;
  /** A runtime handler of its configuration; undefined: its default one. */
  readonly runtimeHandler?: string | undefined;
  /** The handler of sandboxes that are root, such as one of gVisor; undefined: `runtimeHandler`, with user namespaces. */
  readonly devRuntime?: string | undefined;
  /** Whether programs that are root of a kernel of their own may make containers. Default: no. */
  readonly containers?: boolean | undefined;
  /** Tells apart what several installations make in one runtime. a-z, 0-9 and -. */
  readonly installation: string;
  /** What this process holds alone of the installation; undefined: whether another lives is told by its process id. */
  readonly held?: HeldLock | undefined;
  /** The folder with the programs `sandboxd` and `rg`. */
  readonly sandboxdDirectory: string;
  /** The image of conversations that name none; undefined: the one that is built here. */
  readonly defaultImage?: string | undefined;
  /** Pulled where the default image cannot be built. */
  readonly fallbackImage?: string | undefined;
  /** Where the built image is kept between builds. Default `~/.cache/handrail`. */
  readonly cacheDirectory?: string | undefined;
  readonly limits?: Partial<SandboxLimits> | undefined;
};

export const CONTAINERD_SOCKET = "/run/containerd/containerd.sock";
/** Less than those wait who ask for health. */
const FENCE_WITHIN_MS = 5_000;
const FALLBACK_IMAGE = "docker.io/library/node:24-bookworm";

/**
 * Sandboxes as pods of a container runtime on this machine, through the Container Runtime Interface: one container in
 * a network namespace without a way out, with workspaces in directories of the host. They outlive the server and the
 * runtime's daemon, and are found again. Takes root.
 * @throws AppError `config_invalid` for the installation
 */
export function containerdBackend(options: ContainerdOptions): SandboxBackend {
  const parts = withRootFence(assemble(options));
  const { client } = parts;
  const runner: LocalRunner = {
    name: "containerd",
    uidOf: (conversationId, profile) => uidOf(parts, conversationId, profile),
    bound: (profile) => bound(parts, profile),
    health: (signal) => health(parts, signal),
    launch: (start) => explained("containerd could not start the sandbox", () => launch(parts, start)),
    isAlive: (sandboxId) => isAlive(parts, sandboxId),
    kill: (sandboxId, place) =>
      explained("containerd could not stop the sandbox", async () => {
        await kill(parts, sandboxId);
        await unmountDisk(place.disk);
      }),
    collect: (keep) =>
      explained("containerd could not be tidied", async () => {
        const { directory } = options;
        const all = [
          () => collectPods(parts, keep),
          () => collectMounts(parts, directory),
          () => removeOldProbes(directory),
          () => parts.seccomp.tidy(),
        ];
        await tryEach(all, (part) => part());
      }),
    close: () => {
      parts.closing.abort(new AppError("backend_unavailable", "The server is stopping."));
      client.close();
    },
  };
  return localBackend(runner, options);
}

export type ContainerdParts = ReturnType<typeof assemble> & {
  /** What would hold programs that are root. @throws AppError `backend_unavailable` */
  readonly rootFence: (signal: AbortSignal) => Promise<RootFence | NoFence>;
};

function assemble(options: ContainerdOptions) {
  const socketPath = options.address ?? CONTAINERD_SOCKET;
  const closing = new AbortController();
  const client = criClient(socketPath);
  const source = {
    socketPath,
    defaultImage: options.defaultImage,
    fallbackImage: options.fallbackImage ?? FALLBACK_IMAGE,
    cacheDirectory: cacheDirectoryOr(options.cacheDirectory),
  };
  const scratchDirectory = join(options.directory, "scratch");
  const disks = once(() => disksWork(options.directory));
  const seesMounts = onceTrue(() => listenerSharesMounts(socketPath));
  const images = containerdImages(client, source, closing.signal);
  const { devRuntime, runtimeHandler = "" } = options;
  return {
    client,
    closing,
    names: madeNames(options.installation, options.held),
    runtimeHandler,
    devRuntime,
    containers: options.containers ?? false,
    programs: portablePrograms(options.sandboxdDirectory),
    images,
    /** Makes sure of the pause image, once. */
    pauseImage: once(() => images.ensurePause(closing.signal)),
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    /** Sandboxes, and pods that are asked something, which this process is starting. */
    starting: new Set<string>(),
    /** Conversations whose disk is mounted here while their sandbox starts. */
    mounting: new Set<string>(),
    /** Whether the runtime sees what is mounted here. */
    seesMounts,
    /** Whether workspaces can be bounded. */
    disksWork: async () => (await disks()) && seesMounts(),
    seccomp: seccompProfiles(join(options.directory, "seccomp")),
    scratchDirectory,
    /** Where /tmp and the like of a sandbox are while it starts. */
    scratchOf: (sandboxId: string) => join(scratchDirectory, sandboxId),
  };
}

/** A handler's kernel is asked for once: it does not change under a runtime that runs. */
function withRootFence(parts: ReturnType<typeof assemble>): ContainerdParts {
  const ownKernel = once(() => hasOwnKernel(parts, parts.devRuntime ?? "", parts.closing.signal));
  return { ...parts, rootFence: (signal) => findRootFence({ ...parts, hasOwnKernel: ownKernel }, signal) };
}

async function health(parts: ContainerdParts, signal: AbortSignal): Promise<BackendHealth> {
  const found = await containerdHealth(parts.client, parts.runtimeHandler, signal);
  if (!found.works) return found;
  const bounded = withLimits(found, { disks: await parts.disksWork(), memoryDirectories: await parts.seesMounts() });
  return withFence(bounded, await fenceForHealth(parts, signal), parts.devRuntime !== undefined);
}

/** Other sandboxes work all the same where it cannot be found out. Rejects only with the signal's reason. */
async function fenceForHealth(parts: ContainerdParts, signal: AbortSignal): Promise<RootFence | NoFence> {
  try {
    return await parts.rootFence(AbortSignal.any([signal, AbortSignal.timeout(FENCE_WITHIN_MS)]));
  } catch (thrown) {
    signal.throwIfAborted();
    return unasked(parts.devRuntime ?? parts.runtimeHandler, thrown);
  }
}

/**
 * A runtime that is away cannot be seen to see disks: nothing is made then, for a workspace would stay without a bound.
 * @throws AppError `backend_unavailable`
 */
async function bound(parts: ContainerdParts, profile: SandboxProfile): Promise<WorkspaceBound | undefined> {
  if (!(await parts.disksWork())) await parts.client.version(parts.closing.signal);
  if (!(await parts.disksWork())) return undefined;
  return { type: "disk", bytes: limitsUnder(profile, parts.limits).diskBytes };
}

/** Root within a kernel of its own is the host's root to the file system, which that kernel shows it parts of. */
async function uidOf(
  parts: ContainerdParts,
  conversationId: string,
  profile: SandboxProfile,
): Promise<number | undefined> {
  const asRoot = process.getuid?.() === 0;
  if (!asRoot || !PROFILES[profile].root) return sandboxUid(conversationId, asRoot);
  const fence = requireFence(await parts.rootFence(parts.closing.signal));
  return fence.by === "kernel" ? 0 : sandboxUid(conversationId, asRoot, POD_IDS);
}

async function launch(parts: ContainerdParts, start: LocalStart): Promise<Launched> {
  const { sandboxId } = start.record;
  parts.starting.add(sandboxId);
  try {
    return await startPod(parts, start);
  } catch (failure) {
    await kill(parts, sandboxId).catch(() => undefined);
    throw failure;
  } finally {
    parts.starting.delete(sandboxId);
  }
}

/** A runtime that does not answer says nothing of its pods: they go on without it. */
async function isAlive({ client }: ContainerdParts, sandboxId: string): Promise<boolean> {
  try {
    const containers = await client.listContainers({ [LABEL.sandbox]: sandboxId });
    return containers.some((container) => container.state === "CONTAINER_RUNNING");
  } catch (thrown) {
    return toAppError(thrown).code === "backend_unavailable";
  }
}

async function kill({ client, scratchOf }: ContainerdParts, sandboxId: string): Promise<void> {
  for (const pod of await client.listPods({ [LABEL.sandbox]: sandboxId })) await client.removePod(pod.id);
  await removeScratch(scratchOf(sandboxId));
}
