import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "@handrail/protocol/ids";
import { daemonGate } from "../docker/daemon-gate.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import { dockerClient } from "../docker/docker-client.ts";
import { dockerEndpoint } from "../docker/docker-endpoint.ts";
import { buildDindImage, DIND_CAPABILITIES, DIND_DEVICES } from "../image/build-dind-image.ts";
import { cacheDirectoryOr } from "../image/cache-directory.ts";
import { DOCKER_HOST } from "./docker-daemon.ts";
import { importSmallImage } from "./small-image.ts";

/** A Docker daemon in a container beside the server, as the compose file in `deploy/compose` runs it. */
export type DindSidecar = {
  /** As `DOCKER_HOST` is written. */
  readonly host: string;
  /** The small image, which it has. */
  readonly defaultImage: string;
  /** Ends it with SIGKILL, and all that runs in it. */
  kill(): Promise<void>;
  /** Starts it again on the images and volumes that it had, and waits until it answers. */
  start(): Promise<void>;
  dispose(): Promise<void>;
};

const PATIENCE_MS = 120_000;
const IMAGE = "handrail-test/small:4";

/** Whether a container here can see this machine's directories, which the sidecar's socket and images are in. */
export function sharesPaths(): boolean {
  const socket = (DOCKER_HOST ?? "unix:///var/run/docker.sock").replace("unix://", "");
  if (process.getuid?.() === 0 && existsSync(socket)) return true;
  process.stdout.write("A Docker daemon in a container is not tested: that takes root and a daemon by its socket.\n");
  return false;
}

export type SidecarOptions = {
  /** A directory of this machine that it sees too, with what is mounted below. */
  readonly shared?: string;
};

/**
 * A sidecar that answers and has the small image. Its images are kept between runs, under the cache directory. Building
 * its own image takes a minute or two: `npm test` does that before it starts the suites.
 */
export async function startSidecar({ shared }: SidecarOptions = {}): Promise<DindSidecar> {
  const outer = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
  const socketDirectory = await mkdtemp(join(tmpdir(), "handrail-dind-"));
  // Two daemons cannot have the same one.
  const data = join(cacheDirectoryOr(undefined), shared === undefined ? "dind-data" : "dind-disks-data");
  await mkdir(data, { recursive: true });
  const build = { cacheDirectory: cacheDirectoryOr(undefined), onProgress: () => undefined };
  const image = await buildDindImage(outer, { ...build, signal: AbortSignal.timeout(300_000) });
  const id = await createSidecar(outer, image, { data, sockets: socketDirectory, shared });
  const host = `unix://${socketDirectory}/docker.sock`;
  await outer.startContainer(id);
  await untilAnswers(host);
  await chmod(socketDirectory, 0o700);
  await importOnce(host);
  return {
    host,
    defaultImage: IMAGE,
    kill: () => outer.killContainer(id),
    start: async () => {
      await outer.startContainer(id);
      await untilAnswers(host);
    },
    dispose: async () => {
      await outer.removeContainer(id);
      outer.close();
      await rm(socketDirectory, { recursive: true, force: true });
    },
  };
}

type Places = { readonly data: string; readonly sockets: string; readonly shared: string | undefined };

async function createSidecar(outer: DockerClient, image: string, { data, sockets, shared }: Places): Promise<string> {
  const workspaces = shared === undefined ? [] : [`${shared}:${shared}:rslave`];
  return outer.createContainer(`handrail-test-dind-${newId("x", Date.now()).slice(-8).toLowerCase()}`, {
    Image: image,
    Entrypoint: ["/usr/local/bin/handrail-dind"],
    Cmd: [],
    Labels: { "handrail.test": "dind" },
    HostConfig: {
      CapDrop: ["ALL"],
      CapAdd: DIND_CAPABILITIES,
      DeviceCgroupRules: DIND_DEVICES,
      SecurityOpt: ["seccomp=unconfined", "apparmor=unconfined"],
      NetworkMode: "none",
      Binds: [`${data}:/var/lib/docker`, `${sockets}:/run/handrail-docker`, ...workspaces],
    },
  });
}

async function importOnce(host: string): Promise<void> {
  const client = dockerClient(dockerEndpoint({ host }));
  try {
    if ((await client.findImage(IMAGE)) === undefined) await importSmallImage(client, IMAGE);
  } finally {
    client.close();
  }
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
