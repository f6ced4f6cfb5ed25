import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { INSIDE } from "../sandbox-environment.ts";
import type { Bind } from "../local/sandbox-mounts.ts";
import { readOnly } from "../local/sandbox-mounts.ts";

const DIRECTORY_INSIDE = "/handrail-containers";

/**
 * What Podman, Buildah and their like are told: images and containers are on the workspace's disk, whose file system
 * can be under an overlay, and there are neither control groups nor keyrings nor a network but the sandbox's to be had.
 */
const FILES = {
  "containers.conf": `[containers]
keyring = false
cgroups = "disabled"
netns = "host"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
`,
  "storage.conf": `[storage]
driver = "overlay"
runroot = "/run/containers"
graphroot = "${INSIDE.home}/.local/share/containers"
`,
};

export const CONTAINERS_ENVIRONMENT: Readonly<Record<string, string>> = {
  CONTAINERS_CONF: `${DIRECTORY_INSIDE}/containers.conf`,
  CONTAINERS_STORAGE_CONF: `${DIRECTORY_INSIDE}/storage.conf`,
};

/** Writes the files that `containersMount` shows. */
export async function writeContainersFiles(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const files = Object.entries(FILES);
  await Promise.all(files.map(([name, text]) => writeFile(join(directory, name), text, { mode: 0o644 })));
}

export const containersMount = (directory: string): Bind => readOnly(directory, DIRECTORY_INSIDE);
