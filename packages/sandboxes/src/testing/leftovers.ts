import { readdirSync, readFileSync } from "node:fs";
import type { CriClient } from "../containerd/cri-client.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import type { Listed } from "../labels/listed.ts";
import { LABEL } from "../labels/made-names.ts";
import { isConversationName } from "../local/conversation-place.ts";
import { textOf } from "./text-of.ts";

/**
 * Containers and volumes of an installation, and what is mounted or open beside them on this machine, where the daemon is;
 * the volume of programs that is whole stays for the next server.
 */
export async function leftInDaemon(client: DockerClient, installation: string) {
  const ours = [`${LABEL.installation}=${installation}`];
  const [containers, volumes] = [await client.listContainers(ours), await client.listVolumes(ours)];
  const whole = volumes.find(({ name, labels }) => labels[LABEL.programs] !== undefined && name.endsWith("-whole"));
  const programs = whole?.labels[LABEL.programs] ?? "";
  const isLeft = ({ labels }: Listed) => labels[LABEL.programs] !== programs;
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return {
    containers,
    volumes: volumes.filter(isLeft),
    mounts: mounts.filter((line) => line.includes(`handrail-${installation}-`)),
    loops: filesOfLoops().filter((file) => file.includes(`handrail-${installation}-`)),
  };
}

/** Pods and containers of an installation in a runtime. */
export async function leftInRuntime(client: CriClient, installation: string) {
  const ours = { [LABEL.installation]: installation };
  return { pods: await client.listPods(ours), containers: await client.listContainers(ours) };
}

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
