import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Strangers } from "@handrail/core/testing/sandbox-garbage-contract";
import type { CriClient } from "../containerd/cri-client.ts";
import { podConfig } from "../containerd/pod-config.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import { nothingImage } from "../docker/nothing-image.ts";
import { LABEL, madeNames } from "../labels/made-names.ts";
import { textOf } from "./text-of.ts";

/** Strangers of several kinds as one. */
export function together(all: readonly Strangers[]): Strangers {
  return {
    look: async () => Promise.all(all.map((some) => some.look())),
    remove: async () => {
      for (const some of all) await some.remove();
    },
  };
}

/** Directories and a file of somebody in the directory of conversations. */
export async function strangeDirectories(directory: string, conversationId: string): Promise<Strangers> {
  const names = ["notes", `${conversationId}.bak`, conversationId.toUpperCase(), `x${conversationId}`, "lost+found"];
  for (const name of names) {
    await mkdir(join(directory, name), { recursive: true });
    await writeFile(join(directory, name, "file"), "theirs");
  }
  await writeFile(join(directory, "c_file.txt"), "theirs");
  const all = [...names, "c_file.txt"];
  const isTheirs = (path: string) => all.includes(path.split("/", 1)[0] ?? "");
  return {
    look: async () => (await readdir(directory, { recursive: true })).filter(isTheirs).sort(),
    remove: async () => {
      for (const name of all) await rm(join(directory, name), { recursive: true, force: true });
    },
  };
}

/** Names and labels that are much like those of what an installation makes for a conversation. */
function likeOurs(installation: string, conversationId: string) {
  const name = madeNames(installation).container(conversationId);
  const another = `${installation}b`;
  const labels = { [LABEL.conversation]: conversationId, [LABEL.sandbox]: "x_stranger" };
  return [
    { name: `${name}-of-somebody`, labels: {} },
    { name: `somebody-${name}`, labels },
    { name: madeNames(another).container(conversationId), labels: { ...labels, [LABEL.installation]: another } },
    { name: `${name}-labelled`, labels: { ...labels, [`x.${LABEL.installation}`]: installation } },
  ];
}

/** Containers and volumes of a Docker daemon. */
export async function strangersInDaemon(
  client: DockerClient,
  installation: string,
  conversationId: string,
): Promise<Strangers> {
  const made = likeOurs(installation, conversationId);
  const image = await nothingImage(client);
  for (const { name, labels } of made) {
    await client.createContainer(name, { Image: image, Entrypoint: ["none"], Cmd: [], Labels: labels, HostConfig: {} });
    await client.createVolume(`${name}-ws`, labels);
  }
  return {
    look: async () =>
      Promise.all(made.flatMap(({ name }) => [client.findContainer(name), client.findVolume(`${name}-ws`)])),
    remove: async () => {
      for (const { name } of made) {
        await client.removeContainer(name);
        await client.removeVolume(`${name}-ws`);
      }
    },
  };
}

/** Pods of a container runtime. `seccompFile` is any that it can read. */
export async function strangersInRuntime(
  client: CriClient,
  seccompFile: string,
  like: { readonly installation: string; readonly conversationId: string },
): Promise<Strangers> {
  const ids: string[] = [];
  for (const { name, labels } of likeOurs(like.installation, like.conversationId)) {
    const pod = podConfig({ name, sandboxId: "x_stranger", labels, firstId: undefined, seccompFile });
    ids.push(await client.runPod(pod, "", AbortSignal.timeout(60_000)));
  }
  return {
    look: async () => {
      const [pods, status] = [await client.listPods({}), await Promise.all(ids.map((id) => client.podNamespaces(id)))];
      return [pods.filter(({ id }) => ids.includes(id)).sort((one, other) => (one.id < other.id ? -1 : 1)), status];
    },
    remove: async () => {
      for (const id of ids) await client.removePod(id);
    },
  };
}

/** A program with words of a sandbox of that conversation among its arguments. */
export async function strangeProgram(directory: string, conversationId: string): Promise<Strangers> {
  const words = [
    "handrail-sandbox",
    "--sandbox",
    "x_stranger",
    "--workspace",
    join(directory, conversationId, "workspace"),
  ];
  const program = spawn("sh", ["-c", "echo up; sleep 600; true", ...words], { stdio: ["ignore", "pipe", "ignore"] });
  await once(program.stdout, "data");
  return {
    look: async () => [program.exitCode, program.signalCode, textOf(`/proc/${program.pid}/cmdline`)],
    remove: async () => void program.kill("SIGKILL"),
  };
}
