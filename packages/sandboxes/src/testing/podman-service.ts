import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { daemonGate } from "../docker/daemon-gate.ts";
import { type DockerClient, dockerClient } from "../docker/docker-client.ts";
import { dockerEndpoint } from "../docker/docker-endpoint.ts";
import { runProgram } from "../run-program.ts";
import { endDaemon, unmountBelow } from "./end-daemon.ts";
import { importSmallImage } from "./small-image.ts";

/** Podman's service of a test's own, with everything that it keeps in one directory. */
export type PodmanService = {
  /** As `DOCKER_HOST` is written. */
  readonly host: string;
  /** The small image, which it has. */
  readonly defaultImage: string;
  /** Ends the service itself with SIGKILL; what runs in its containers goes on. */
  kill(): Promise<void>;
  /** Starts it again, and waits until it answers. */
  start(): Promise<void>;
  dispose(): Promise<void>;
};

const PATIENCE_MS = 90_000;
const IMAGE = "localhost/handrail-test/small:4";

/**
 * Its containers would get limits that root without CAP_SYS_RESOURCE may not give; cgroups are its own to make, with
 * or without systemd.
 */
const CONFIGURATION = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
`;

/** Whether one can be started here. Says so on standard output when it cannot. */
export async function canRunPodman(): Promise<boolean> {
  const found = await Promise.all(
    ["podman", "runc", "/usr/libexec/podman/catatonit"].map((name) => runProgram(name, ["--version"])),
  );
  const works = process.getuid?.() === 0 && found.every(({ code }) => code === 0);
  if (!works) process.stdout.write("Podman's service is not tested: that takes root, podman, catatonit and runc.\n");
  return works;
}

/** A service that answers and has the small image. `shared`: its mounts are the machine's, as all are with systemd. */
export async function startPodman({ shared = true } = {}): Promise<PodmanService> {
  const directory = await mkdtemp("/tmp/hr-podman-");
  await runProgram("mount", ["--bind", directory, directory]);
  await runProgram("mount", [shared ? "--make-shared" : "--make-private", directory]);
  await writeFile(join(directory, "containers.conf"), CONFIGURATION);
  const host = `unix://${directory}/podman.sock`;
  const places = ["root", "runroot", "tmpdir"].flatMap((name) => [`--${name}`, join(directory, name)]);
  const environment = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", CONTAINERS_CONF: join(directory, "containers.conf") };
  const log = openSync(join(directory, "log"), "a");
  const launch = () =>
    spawn("podman", [...places, "system", "service", "--time=0", host], {
      stdio: ["ignore", log, log],
      env: environment,
      cwd: "/",
    });
  let child = launch();
  const ready = (work: (client: DockerClient) => Promise<void>) =>
    onceUp(host, work).catch(async (thrown: unknown) => {
      throw new Error(`Podman does not serve: ${await readFile(join(directory, "log"), "utf8")}`, { cause: thrown });
    });
  await ready((client) => importSmallImage(client, IMAGE));
  return {
    host,
    defaultImage: IMAGE,
    kill: () => endDaemon(child, "SIGKILL"),
    start: async () => {
      child = launch();
      await ready(async () => undefined);
    },
    dispose: async () => {
      await removeContainers(host);
      await endDaemon(child, "SIGTERM");
      await unmountBelow(directory);
      await runProgram("umount", ["--lazy", directory]);
      await rm(directory, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** What is done with a service as soon as it answers. */
async function onceUp(host: string, work: (client: DockerClient) => Promise<void>): Promise<void> {
  const client = dockerClient(dockerEndpoint({ host }));
  try {
    await daemonGate(client, PATIENCE_MS)(AbortSignal.timeout(PATIENCE_MS));
    await work(client);
  } finally {
    client.close();
  }
}

/** Containers would outlive their service: each has a monitor of its own. */
async function removeContainers(host: string): Promise<void> {
  const client = dockerClient(dockerEndpoint({ host }));
  try {
    for (const { id } of await client.listContainers([])) await client.removeContainer(id);
  } finally {
    client.close();
  }
}
