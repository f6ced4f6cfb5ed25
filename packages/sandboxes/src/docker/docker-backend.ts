import { setTimeout as delay } from "node:timers/promises";
import type { SandboxBackend, SandboxSpec } from "@handrail/core/ports/sandbox";
import { AppError } from "@handrail/protocol/errors";
import type { Egress } from "../egress.ts";
import { cacheDirectoryOr } from "../image/cache-directory.ts";
import type { SandboxLimits } from "../limits.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { portablePrograms, sandboxdPrograms } from "../sandboxd-programs.ts";
import { collectLeftovers } from "./collect-leftovers.ts";
import type { DockerClient } from "./docker-client.ts";
import { devRuntimes } from "./dev-runtime.ts";
import { dockerClient } from "./docker-client.ts";
import { daemonGate } from "./daemon-gate.ts";
import type { DockerAddress } from "./docker-endpoint.ts";
import { daemonDisks } from "./daemon-disks.ts";
import { dockerDisks } from "./docker-disks.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";
import { explained } from "./docker-error.ts";
import { dockerHealth } from "./docker-health.ts";
import { dockerImages } from "./docker-image.ts";
import { dockerLinks } from "./docker-links.ts";
import { choiceLabel, madeNames, LABEL } from "../labels/made-names.ts";
import { hasItsFiles, removeKeeper } from "./disk-keeper.ts";
import type { ContainerState, DaemonInfo } from "./docker-shapes.ts";
import { hostsFileOf } from "./hosts-file.ts";
import { dockerVolumes } from "./docker-volumes.ts";
import type { HeldLock } from "../labels/makers.ts";
import { isOurs, removeOwnContainer, taken } from "./own-things.ts";
import { startContainer } from "./start-container.ts";
import { startFailure } from "./start-failure.ts";
import { userQuotas } from "./user-quotas.ts";
import { takesDisk, workspaceBounds } from "./workspace-bounds.ts";

export type DockerOptions = DockerAddress & {
  /** How long a daemon that does not answer is waited for, in milliseconds. Default 0. */
  readonly waitMs?: number | undefined;
  /** Tells apart what several installations make in one daemon. a-z, 0-9 and -. */
  readonly installation: string;
  /** What this process holds alone of the installation; undefined: whether another lives is told by its process id. */
  readonly held?: HeldLock | undefined;
  /** The folder with the programs `sandboxd` and `rg`. */
  readonly sandboxdDirectory: string;
  readonly egress: Egress;
  /** The image of conversations that name none; undefined: the one that is built here. */
  readonly defaultImage?: string | undefined;
  /** Pulled where the default image cannot be built. */
  readonly fallbackImage?: string | undefined;
  /** Where the built image is kept between builds. Default `~/.cache/handrail`. */
  readonly cacheDirectory?: string | undefined;
  readonly limits?: Partial<SandboxLimits> | undefined;
  /** The daemon's runtime for sandboxes that are root, such as `runsc`. Undefined: its own choice. */
  readonly devRuntime?: string | undefined;
  /** Whether programs in them may make containers, where that runtime gives each a kernel of its own. Default: no. */
  readonly containers?: boolean | undefined;
  /**
   * Holds the disks that workspaces are bounded by, where the daemon is on this machine and this process is root.
   * Undefined: none is bounded.
   */
  readonly directory?: string | undefined;
  /**
   * Whether a helper container may bound workspaces where `directory` cannot: it mounts disks on the daemon's machine.
   * Default: yes.
   */
  readonly diskHelper?: boolean | undefined;
};

const FALLBACK_IMAGE = "node:24-bookworm";
/** With many containers and images a daemon that is busy takes long to say what it is. */
const FACTS_MS = 30_000;
/** How long a daemon has to take away what is half made when the server stops. */
const SETTLE_MS = 2_000;

/**
 * Sandboxes as containers of one Docker daemon, which may run on another machine or file system: workspaces are then
 * volumes, first files travel as an archive, and sandboxd is spoken to over the daemon's exec.
 * @throws AppError `backend_unavailable` for an address that cannot be read, `config_invalid` for the installation
 */
export function dockerBackend(options: DockerOptions): SandboxBackend {
  const parts = assemble(options);
  const { client, names, volumes, disks, links, ready, closing } = parts;
  const stop = async (conversationId: string) => {
    await ready(closing.signal);
    links.release(conversationId);
    await removeOwnContainer(parts, names.container(conversationId));
    if (await parts.daemonDisks.areKept()) await removeKeeper(parts, conversationId);
  };
  return {
    name: "docker",
    health: (signal) => dockerHealth(parts, signal),
    hasWorkspace: (conversationId) =>
      explained("Docker could not look for the workspace", async () => {
        await ready(closing.signal);
        if (await disks.has(conversationId)) return true;
        return (await parts.daemonDisks.has(conversationId)) || volumes.hasWorkspace(conversationId);
      }),
    find: (conversationId, signal) =>
      explained("Docker could not look for the sandbox", async () => {
        await ready(signal);
        const container = await client.findContainer(names.container(conversationId), signal);
        return container !== undefined && isOurs(parts, container) && (await isWhole(parts, container))
          ? links.open(conversationId, container, signal)
          : undefined;
      }),
    start: (spec, onProgress, signal) =>
      explained("Docker could not start the sandbox", async () => {
        await ready(signal, onProgress);
        return start(parts, { spec, onProgress, signal });
      }),
    stop: (conversationId) => explained("Docker could not stop the sandbox", () => stop(conversationId)),
    remove: (conversationId) =>
      explained("Docker could not remove the sandbox", async () => {
        await stop(conversationId);
        await volumes.removeWorkspace(conversationId);
        await disks.remove(conversationId);
        await parts.daemonDisks.remove(conversationId);
      }),
    collect: (keep) => explained("Docker could not be tidied", () => collectLeftovers(parts, keep)),
    close: async () => {
      parts.closing.abort(new AppError("backend_unavailable", "The server is stopping."));
      links.close();
      const settled = Promise.race([volumes.settled(), delay(SETTLE_MS, undefined, { ref: false })]);
      await Promise.all([settled, parts.daemonDisks.close()]);
      client.close();
    },
  };
}

export type DockerParts = ReturnType<typeof assemble>;

function assemble(options: DockerOptions) {
  const closing = new AbortController();
  const client = dockerClient(dockerEndpoint(options));
  const names = madeNames(options.installation, options.held);
  const programs = sandboxdPrograms(portablePrograms(options.sandboxdDirectory));
  const source = {
    installation: options.installation,
    defaultImage: options.defaultImage,
    fallbackImage: options.fallbackImage ?? FALLBACK_IMAGE,
    cacheDirectory: cacheDirectoryOr(options.cacheDirectory),
  };
  const facts = daemonFacts(client);
  const volumes = dockerVolumes({ client, names, facts, closing: closing.signal }, programs);
  const disks = dockerDisks(options.directory, client, facts);
  const ofDaemon = daemonDisks({ client, names, volumes, facts, wanted: options.diskHelper ?? true });
  const quotas = userQuotas({ client, names, volumes, facts });
  return {
    closing,
    client,
    disks,
    ready: daemonGate(client, options.waitMs ?? 0),
    names,
    programs,
    volumes,
    daemonDisks: ofDaemon,
    bounds: () => workspaceBounds({ disks, daemonDisks: ofDaemon, quotas }),
    /** Whether a new workspace is on a disk of the daemon's machine. `root`: whether its programs are root. */
    takesDisk: (root: boolean) => takesDisk({ daemonDisks: ofDaemon, quotas }, root),
    images: dockerImages(client, source, closing.signal),
    links: dockerLinks({ client, facts }, options.egress, options.waitMs),
    hostsFile: hostsFileOf(client, facts),
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    devRuntime: options.devRuntime,
    devRuntimes: devRuntimes({ client, names }, options),
    facts,
  };
}

export type Starting = {
  readonly spec: SandboxSpec;
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
};

async function start(parts: DockerParts, starting: Starting) {
  const { spec, signal } = starting;
  const { client, names, links } = parts;
  const name = names.container(spec.conversationId);
  const old = await client.findContainer(name, signal);
  if (old !== undefined && !isOurs(parts, old)) throw taken("container", name);
  if (old !== undefined && isAsWished(old.labels, spec) && (await isWhole(parts, old))) {
    // One that does not answer, or is of another version, makes room for a new one.
    const linked = await links.open(spec.conversationId, old, signal).catch(() => undefined);
    if (linked !== undefined) return linked;
    signal.throwIfAborted();
  }
  if (old !== undefined) {
    links.release(spec.conversationId);
    await client.removeContainer(old.id);
  }
  const container = await startContainer(parts, starting);
  try {
    const opened = links.open(spec.conversationId, container, signal, container.stream);
    await Promise.allSettled([opened, container.settled]);
    await container.settled;
    return await opened;
  } catch (thrown) {
    const failure = signal.aborted ? thrown : await startFailure(client, container, thrown);
    await client.removeContainer(container.id);
    throw failure;
  }
}

/** Whether it runs and has its files. */
async function isWhole({ client }: Pick<DockerParts, "client">, container: ContainerState): Promise<boolean> {
  return container.running && hasItsFiles(client, container);
}

/** Whether a container was made for the same choice, so that it serves. */
function isAsWished(labels: Readonly<Record<string, string>>, spec: SandboxSpec): boolean {
  return labels[LABEL.choice] === choiceLabel(spec.choice);
}

/** What the daemon says of itself, asked once. */
function daemonFacts(client: DockerClient): () => Promise<DaemonInfo> {
  let known: DaemonInfo | undefined;
  return async () => {
    known ??= await client.info(AbortSignal.timeout(FACTS_MS), FACTS_MS);
    return known;
  };
}
