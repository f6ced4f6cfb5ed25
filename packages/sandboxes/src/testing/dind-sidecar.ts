import { existsSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { newId } from "@handrail/protocol/ids";
import { daemonGate } from "../docker/daemon-gate.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import { dockerClient } from "../docker/docker-client.ts";
import { dockerEndpoint } from "../docker/docker-endpoint.ts";
import type { ContainerSpec } from "../docker/docker-shapes.ts";
import {
  buildDindImage,
  DIND_CAPABILITIES,
  DIND_DEVICES,
  ROOTLESS_CAPABILITIES,
  ROOTLESS_DEVICES,
  ROOTLESS_USER,
} from "../image/build-dind-image.ts";
import { cacheDirectoryOr } from "../image/cache-directory.ts";
import type { SuiteDaemon } from "./daemon-suite.ts";
import { DOCKER_HOST } from "./docker-daemon.ts";
import { linesOf } from "./leftovers.ts";

/** What one kind of sidecar differs in. */
export type SidecarKind = {
  /** The directory for its images in the cache directory. Two daemons cannot have the same one. */
  readonly data: string;
  /** Whom that and the socket's directory belong to. */
  readonly owner: number;
  /** Its container, as Docker's API has it, but for what all have; its image and its directories are given. */
  readonly container: (places: { readonly data: string; readonly sockets: string }) => SidecarContainer;
};

type SidecarContainer = Pick<ContainerSpec, "Entrypoint" | "User" | "HostConfig">;

export type Sidecar = SuiteDaemon & {
  /** Processes in it that have ended and of which nobody has taken leave. */
  readonly dead: () => Promise<readonly string[]>;
};

/** Of each mount namespace in a container: a daemon without rights has one of its own. */
const MOUNTS = "cat /proc/[0-9]*/mountinfo 2>/dev/null | sort --unique";
const DEAD = "grep --no-messages --files-with-matches '^State:.Z' /proc/[0-9]*/status";
/** Names of its programs, and what each waits for. */
const DOING = 'for at in /proc/[0-9]*; do echo "$(tr "\\0" " " < $at/cmdline): $(cat $at/wchan)"; done';
const PATIENCE_MS = 60_000;
const UNCONFINED = ["seccomp=unconfined", "apparmor=unconfined"];

/** A daemon that is root. `shared` is a directory of this machine that it sees too, with what is mounted below. */
export function rootSidecar(shared?: string): SidecarKind {
  return {
    data: shared === undefined ? "dind-data" : "dind-disks-data",
    owner: 0,
    container: ({ data, sockets }) => ({
      Entrypoint: ["/usr/local/bin/handrail-dind"],
      HostConfig: {
        CapAdd: DIND_CAPABILITIES,
        DeviceCgroupRules: DIND_DEVICES,
        SecurityOpt: UNCONFINED,
        Binds: [
          `${data}:/var/lib/docker`,
          `${sockets}:/run/handrail-docker`,
          ...(shared === undefined ? [] : [`${shared}:${shared}:rslave`]),
        ],
      },
    }),
  };
}

/** A daemon that is a plain user, with so much memory and so many processes for all its sandboxes together. */
export function rootlessSidecar(bounds: { readonly memoryBytes: number; readonly processes: number }): SidecarKind {
  return {
    data: "dind-rootless-data",
    owner: ROOTLESS_USER,
    container: ({ data, sockets }) => ({
      User: `${ROOTLESS_USER}:${ROOTLESS_USER}`,
      Entrypoint: ["/usr/local/bin/handrail-dind-rootless"],
      HostConfig: {
        CapAdd: ROOTLESS_CAPABILITIES,
        Devices: ROOTLESS_DEVICES.map((path) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: "rw" })),
        SecurityOpt: UNCONFINED,
        // As `systempaths=unconfined` is for Docker's command: a namespace that masks parts of /proc can mount no other.
        MaskedPaths: [],
        ReadonlyPaths: [],
        ReadonlyRootfs: true,
        Tmpfs: { "/tmp": "" },
        Memory: bounds.memoryBytes,
        MemorySwap: bounds.memoryBytes,
        PidsLimit: bounds.processes,
        Binds: [`${data}:/var/lib/handrail-docker`, `${sockets}:/run/handrail-docker`],
      },
    }),
  };
}

/** Whether a container here can see this machine's directories, which the sidecar's socket and images are in. */
export function sharesPaths(): boolean {
  const socket = (DOCKER_HOST ?? "unix:///var/run/docker.sock").replace("unix://", "");
  if (process.getuid?.() === 0 && existsSync(socket)) return true;
  process.stdout.write("A Docker daemon in a container is not tested: that takes root and a daemon by its socket.\n");
  return false;
}

/**
 * A Docker daemon in a container beside the server, as the compose files in `deploy/compose` run it, once it answers. What
 * runs in it ends with it. Its images are kept between runs, under the cache directory. Building its own image takes a
 * minute or two: `npm test` does that before it starts the suites.
 */
export async function startSidecar(kind: SidecarKind): Promise<Sidecar> {
  const outer = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
  const cacheDirectory = cacheDirectoryOr(undefined);
  const places = {
    data: join(cacheDirectory, kind.data),
    sockets: await mkdtemp(join(tmpdir(), "handrail-dind-")),
  };
  await mkdir(places.data, { recursive: true });
  for (const place of Object.values(places)) await chown(place, kind.owner, kind.owner);
  const signal = AbortSignal.timeout(300_000);
  const image = await buildDindImage(outer, { cacheDirectory, onProgress: () => undefined, signal });
  const id = await createSidecar(outer, image, kind.container(places));
  const host = `unix://${places.sockets}/docker.sock`;
  const dispose = async () => {
    await outer.removeContainer(id);
    outer.close();
    await rm(places.sockets, { recursive: true, force: true });
  };
  const said = async (script: string) => {
    const program = { argv: ["sh", "-c", script], user: `${kind.owner}`, environment: {} };
    return linesOf(await text(await outer.exec(id, program, () => undefined)));
  };
  const start = async () => {
    await outer.startContainer(id);
    const isUp = await untilAnswers(host).then(
      () => true,
      () => false,
    );
    if (isUp) return;
    const doing = await said(DOING).then((lines) => lines.join("\n"), String);
    process.stdout.write(`The daemon in ${id} does not answer, and is started once more. What it was at:\n${doing}\n`);
    await outer.killContainer(id);
    await outer.startContainer(id);
    await untilAnswers(host);
  };
  try {
    await start();
  } catch (thrown) {
    await dispose();
    throw thrown;
  }
  await chmod(places.sockets, 0o700);
  const mounts = async () => {
    const lines = await said(MOUNTS);
    if (lines.length === 0) throw new Error("What is mounted in the sidecar cannot be seen.");
    return lines;
  };
  return { host, kill: () => outer.killContainer(id), start, mounts, dead: () => said(DEAD), dispose };
}

async function createSidecar(outer: DockerClient, image: string, container: SidecarContainer): Promise<string> {
  return outer.createContainer(`handrail-test-dind-${newId("x", Date.now()).slice(-8).toLowerCase()}`, {
    ...container,
    Image: image,
    Cmd: [],
    Labels: { "handrail.test": "dind" },
    HostConfig: { ...container.HostConfig, CapDrop: ["ALL"], NetworkMode: "none" },
  });
}

/** @throws AppError `backend_unavailable` when the daemon does not come up */
async function untilAnswers(host: string): Promise<void> {
  const client = dockerClient(dockerEndpoint({ host }));
  try {
    await daemonGate(client, PATIENCE_MS)(AbortSignal.timeout(PATIENCE_MS));
  } finally {
    client.close();
  }
}
