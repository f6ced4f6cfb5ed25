import { readdirSync, readFileSync } from "node:fs";
import type { CriClient } from "../containerd/cri-client.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import { dockerHttp } from "../docker/docker-http.ts";
import type { Listed } from "../labels/listed.ts";
import { LABEL } from "../labels/made-names.ts";
import { isConversationName } from "../local/conversation-place.ts";
import { textOf } from "./text-of.ts";

/** Lines of `/proc/PID/mountinfo`. */
export type Mounts = () => Promise<readonly string[]>;

/** What is mounted where this process is. */
export const mountsHere: Mounts = async () => linesOf(readFileSync("/proc/self/mountinfo", "utf8"));

/** The lines of a text, without the last one, which is empty. */
export const linesOf = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");

/**
 * Containers and volumes of an installation, and what is mounted or open beside them where the daemon is;
 * the volume of programs that is whole stays for the next server.
 */
export async function leftInDaemon(client: DockerClient, installation: string, mounts: Mounts = mountsHere) {
  const ours = [`${LABEL.installation}=${installation}`];
  const [containers, volumes] = [await client.listContainers(ours), await client.listVolumes(ours)];
  const whole = volumes.find(({ name, labels }) => labels[LABEL.programs] !== undefined && name.endsWith("-whole"));
  const programs = whole?.labels[LABEL.programs] ?? "";
  const isLeft = ({ labels }: Listed) => labels[LABEL.programs] !== programs;
  return {
    containers,
    volumes: volumes.filter(isLeft),
    mounts: (await mounts()).filter((line) => line.includes(`handrail-${installation}-`)),
    loops: filesOfLoops().filter((file) => file.includes(`handrail-${installation}-`)),
  };
}

/** Names of a daemon's networks, of which Handrail makes none. */
export async function networksOf({ endpoint }: DockerClient) {
  const http = dockerHttp(endpoint);
  try {
    const networks = (await http.json({ method: "GET", path: "/networks" })) as readonly { readonly Name: string }[];
    return { networks: networks.map(({ Name }) => Name) };
  } finally {
    http.close();
  }
}

/** All that a daemon has, whoever made it and whatever it is called, but for what servers keep for the next one. */
export async function allInDaemon(client: DockerClient, mounts: Mounts) {
  const volumes = (await client.listVolumes([])).filter(({ labels }) => labels[LABEL.programs] === undefined);
  return {
    ...(await networksOf(client)),
    containers: (await client.listContainers([])).map(({ id }) => id),
    volumes: volumes.map(({ name }) => name),
    mounts: (await mounts()).map(placeOf),
  };
}

/** Pods and containers of an installation in a runtime. */
export async function leftInRuntime(client: CriClient, installation: string) {
  const ours = { [LABEL.installation]: installation };
  return { pods: await client.listPods(ours), containers: await client.listContainers(ours) };
}

/** All that a runtime has, whoever made it, and what is mounted below that directory of its own. */
export async function allInRuntime(client: CriClient, directory: string) {
  return {
    pods: (await client.listPods({})).map(({ id }) => id),
    containers: (await client.listContainers({})).map(({ id }) => id),
    mounts: (await mountsHere()).filter((line) => line.includes(directory)).map(placeOf),
  };
}

/** Where something is mounted. Source: proc_pid_mountinfo(5) */
const placeOf = (line: string): string => line.split(" ")[4] ?? "";

/** Conversations' directories, disks and mounts in a directory of this machine. */
export function leftInDirectory(directory: string) {
  const mounts = textOf("/proc/self/mountinfo").split("\n");
  const entriesOf = (path: string) => {
    try {
      return readdirSync(path);
    } catch {
      return [];
    }
  };
  return {
    conversations: entriesOf(directory).filter((name) => isConversationName(name) || name.startsWith("probe-")),
    scratch: entriesOf(`${directory}/scratch`),
    disks: filesOfLoops().filter((file) => file.includes(directory)),
    mounts: mounts.filter((line) => line.includes(directory)),
  };
}

/** Files that loop devices of this machine have open. */
export function filesOfLoops(): readonly string[] {
  const files = readdirSync("/sys/block").map((name) => textOf(`/sys/block/${name}/loop/backing_file`).trim());
  return files.filter((file) => file !== "");
}
