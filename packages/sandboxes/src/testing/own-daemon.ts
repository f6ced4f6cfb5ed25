import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { daemonGate } from "../docker/daemon-gate.ts";
import { dockerClient } from "../docker/docker-client.ts";
import { dockerEndpoint } from "../docker/docker-endpoint.ts";
import { LET_GO } from "../process/launch-command.ts";
import type { SuiteDaemon } from "./daemon-suite.ts";
import { endDaemon, unmountBelow } from "./end-daemon.ts";
import { linesOf } from "./leftovers.ts";
import { textOf } from "./text-of.ts";

/** A Docker daemon of a test's own, which it may kill. It makes no bridge and no firewall rule. */
export type OwnDaemon = SuiteDaemon & {
  /** Ends the daemon itself with SIGKILL; what runs in its containers is left as it is. */
  kill(): Promise<void>;
  /** Starts it again, with these arguments besides, and waits until it answers. */
  start(more?: readonly string[]): Promise<void>;
};

const PATIENCE_MS = 90_000;

/** Whether this machine can have one: it takes root and dockerd. */
export function canStartDaemon(): boolean {
  const there = ["/usr/sbin/dockerd", "/usr/bin/dockerd", "/usr/local/bin/dockerd"].some(canRun);
  if (process.getuid?.() === 0 && there) return true;
  process.stdout.write("A Docker daemon of a test's own is not tested: that takes root and dockerd.\n");
  return false;
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Ids that a daemon maps those of its containers to: what /etc/subuid and /etc/subgid have of the user `nobody`. */
export type Subordinates = { readonly users: string; readonly groups: string };

/**
 * A daemon without images, started with these arguments besides. With `subordinates` it has user namespaces, and mounts
 * of its own: no file of this machine is changed for it.
 */
export async function startOwnDaemon(more: readonly string[] = [], subordinates?: Subordinates): Promise<OwnDaemon> {
  const directory = await mkdtemp(join(tmpdir(), "handrail-dockerd-"));
  const host = `unix://${directory}/docker.sock`;
  let child: ChildProcess | undefined;
  const start = async (extra: readonly string[] = []) => {
    await mkdir(join(directory, "exec"), { recursive: true });
    // Numbers of processes that are gone, or dead and not yet reaped, for which a new daemon would wait in vain.
    for (const left of ["docker.pid", "exec/containerd/containerd.pid"])
      await rm(join(directory, left), { force: true });
    const [program = "", ...args] = subordinates === undefined ? ["dockerd"] : await mapping(directory, subordinates);
    child = spawn(program, [...args, ...argumentsFor(directory, host), ...extra], { stdio: "ignore", cwd: "/" });
    await untilAnswers(host);
  };
  const end = async (signal: "SIGKILL" | "SIGTERM") => child && endDaemon(child, signal);
  await start(more);
  return {
    host,
    kill: () => end("SIGKILL"),
    start,
    mounts: async () => linesOf(textOf(`/proc/${child?.pid}/mountinfo`)).filter((line) => line.includes(directory)),
    dispose: async () => {
      await end("SIGTERM");
      await unmountBelow(directory);
      await rm(directory, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** Runs dockerd where it finds these ids. It takes the user, 65534, by number: the name of its group differs. */
async function mapping(directory: string, { users, groups }: Subordinates): Promise<readonly string[]> {
  // Root of its containers has to come to its files.
  await chmod(directory, 0o711);
  const files = { subuid: users, subgid: groups };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  const mounts = Object.keys(files).map((name) => `mount --bind ${name} /etc/${name}`);
  const script = [LET_GO, 'cd "$1"', ...mounts, "cd /", "shift", 'exec dockerd --userns-remap 65534:65534 "$@"'].join(
    " && ",
  );
  return ["unshare", "--mount", "sh", "-c", script, "sh", directory];
}

function argumentsFor(directory: string, host: string): readonly string[] {
  const places = ["--data-root", join(directory, "data"), "--exec-root", join(directory, "exec")];
  return [
    ...places,
    "--host",
    host,
    "--pidfile",
    join(directory, "docker.pid"),
    "--bridge",
    "none",
    "--iptables=false",
  ];
}

async function untilAnswers(host: string): Promise<void> {
  const client = dockerClient(dockerEndpoint({ host }));
  try {
    await daemonGate(client, PATIENCE_MS)(AbortSignal.timeout(PATIENCE_MS));
  } finally {
    client.close();
  }
}
