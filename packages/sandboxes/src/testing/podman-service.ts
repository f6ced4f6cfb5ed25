import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { daemonGate } from "../docker/daemon-gate.ts";
import { dockerClient } from "../docker/docker-client.ts";
import { dockerEndpoint } from "../docker/docker-endpoint.ts";
import { runProgram } from "../run-program.ts";
import type { SuiteDaemon } from "./daemon-suite.ts";
import { endDaemon, unmountBelow } from "./end-daemon.ts";
import { mountsHere } from "./leftovers.ts";

const PATIENCE_MS = 90_000;

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

/**
 * Podman's service of a test's own, with everything that it keeps in one directory, once it answers. What runs in its containers
 * goes on when it is killed. `shared`: its mounts are the machine's, as all are with systemd.
 */
export async function startPodman({ shared = true } = {}): Promise<SuiteDaemon> {
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
  const ready = () =>
    untilAnswers(host).catch(async (thrown: unknown) => {
      throw new Error(`Podman does not serve: ${await readFile(join(directory, "log"), "utf8")}`, { cause: thrown });
    });
  await ready();
  return {
    host,
    kill: () => endDaemon(child, "SIGKILL"),
    start: async () => {
      child = launch();
      await ready();
    },
    mounts: async () => (await mountsHere()).filter((line) => line.includes(directory)),
    dispose: async () => {
      await removeContainers(host);
      await endDaemon(child, "SIGTERM");
      await unmountBelow(directory);
      await runProgram("umount", ["--lazy", directory]);
      await rm(directory, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

async function untilAnswers(host: string): Promise<void> {
  const client = dockerClient(dockerEndpoint({ host }));
  try {
    await daemonGate(client, PATIENCE_MS)(AbortSignal.timeout(PATIENCE_MS));
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
