import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, openSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { criClient } from "../containerd/cri-client.ts";
import { killProcess } from "../local/kill-all.ts";
import { runProgram } from "../run-program.ts";
import { endDaemon, unmountBelow } from "./end-daemon.ts";
import { textOf } from "./text-of.ts";

/** A containerd of the tests' own, with everything that it writes in one directory. */
export type ContainerdDaemon = {
  readonly address: string;
  /** Ends the daemon as a crash does; what it started goes on. */
  kill(): Promise<void>;
  /** Starts it again. */
  restart(): Promise<void>;
  /** Removes all pods, ends the daemon and takes everything away. */
  dispose(): Promise<void>;
};

const PLUGINS = ["/usr/lib/cni", "/opt/cni/bin"];
const WITHIN_MS = 90_000;

/** Whether a containerd can be started here. Says so on standard output when it cannot. */
export async function canRunContainerd(): Promise<boolean> {
  const found = await runProgram("containerd", ["--version"]);
  const works = process.getuid?.() === 0 && found.code === 0 && pluginDirectory() !== undefined;
  if (!works)
    process.stdout.write("containerd sandboxes are not tested: that takes root, containerd and CNI plugins.\n");
  return works;
}

export type DaemonWish = {
  /** The CNI configuration that its pods get. Default: nothing but the loopback. */
  readonly network?: object;
  /** Where it keeps images. Default: an empty directory, which goes with the daemon. */
  readonly root?: string;
  /** Further tables of its configuration, such as runtime handlers. */
  readonly more?: string;
};

export async function startContainerd(wish: DaemonWish = {}): Promise<ContainerdDaemon> {
  // The paths of its sockets are at most 107 bytes long.
  const directory = await mkdtemp("/tmp/hr-cd-");
  const address = join(directory, "containerd.sock");
  const { network = LOOPBACK_ONLY, root = join(directory, "root"), more = "" } = wish;
  await mkdir(join(directory, "cni"));
  await writeFile(join(directory, "cni/10-handrail.conflist"), JSON.stringify(network));
  await writeFile(join(directory, "config.toml"), configuration(directory, root) + more);
  let child = await launch(directory, address);
  return {
    address,
    kill: () => endDaemon(child, "SIGKILL"),
    restart: async () => {
      child = await launch(directory, address);
    },
    dispose: async () => {
      await removeAllPods(address);
      await endDaemon(child, "SIGTERM");
      killShims(address);
      for (const place of [directory, root]) await unmountBelow(place);
      await rm(directory, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/**
 * A network of nothing but the loopback. CRI wants to be told of an interface with an address, so one is named that
 * is not made: `tuning`, with nothing to tune, passes on what it is given. CRI-O would look whether it is there.
 */
export const LOOPBACK_ONLY = {
  cniVersion: "0.4.0",
  name: "handrail",
  disableCheck: true,
  plugins: [
    {
      type: "tuning",
      prevResult: {
        cniVersion: "0.4.0",
        interfaces: [{ name: "eth0", sandbox: "none" }],
        ips: [{ version: "4", interface: 0, address: "127.0.0.1/8" }],
      },
    },
  ],
};

/** A network with a way out of the pod, such as most runtimes have. */
export const WITH_NETWORK = {
  cniVersion: "0.4.0",
  name: "bridged",
  plugins: [
    { type: "ptp", ipam: { type: "static", addresses: [{ address: "10.254.254.2/24", gateway: "10.254.254.1" }] } },
  ],
};

function configuration(directory: string, root: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "${root}"
state = "${directory}/state"
[grpc]
  address = "${directory}/containerd.sock"
[${cri}]
  sandbox_image = "docker.io/handrail/pause:1"
  restrict_oom_score_adj = true
[${cri}.cni]
  bin_dir = "${pluginDirectory()}"
  conf_dir = "${directory}/cni"
`;
}

async function launch(directory: string, address: string): Promise<ChildProcess> {
  const log = openSync(join(directory, "log"), "a");
  const child = spawn("containerd", ["--config", join(directory, "config.toml")], {
    stdio: ["ignore", log, log],
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
    detached: true,
  });
  const client = criClient(address);
  const until = Date.now() + WITHIN_MS;
  try {
    for (;;) {
      const status = await client.status(AbortSignal.timeout(5000)).catch(() => undefined);
      if (status?.conditions.every((condition) => condition.status) === true) return child;
      if (Date.now() > until)
        throw new Error(`containerd does not start: ${await readFile(join(directory, "log"), "utf8")}`);
      await delay(50);
    }
  } finally {
    client.close();
  }
}

async function removeAllPods(address: string): Promise<void> {
  const client = criClient(address);
  try {
    for (const pod of await client.listPods({})) await client.removePod(pod.id);
  } finally {
    client.close();
  }
}

/** What a killed daemon left. */
function killShims(address: string): void {
  const shims = readdirSync("/proc").filter((pid) => {
    const words = /^\d+$/.test(pid) ? textOf(`/proc/${pid}/cmdline`).split("\0") : [];
    return words[0]?.includes("containerd-shim") === true && words.includes(address);
  });
  for (const pid of shims) killProcess(Number(pid));
}

function pluginDirectory(): string | undefined {
  return PLUGINS.find((directory) => {
    try {
      accessSync(join(directory, "loopback"));
      return true;
    } catch {
      return false;
    }
  });
}
