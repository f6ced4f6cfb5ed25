import { spawn } from "node:child_process";
import { once } from "node:events";
import { dockerEndpoint } from "@handrail/sandboxes/docker/docker-endpoint";
import { dockerHttp } from "@handrail/sandboxes/docker/docker-http";
import type { BackendName } from "@handrail/protocol/sources";
import { rawPod } from "./raw-pod.ts";
import { runProgram } from "./run-program.ts";

/** The least that this machine allows for a backend's way of isolating. */
export type Floor = { readonly name: string; measure(): Promise<number> };

/** What floors need to know of a backend. `image` is what its containers in Docker are made of. */
export type FloorOf = {
  readonly backend: BackendName;
  readonly image?: string | undefined;
  readonly criAddress?: string | undefined;
};

/** The least that it takes to start something in a backend's way. */
export function floorOf({ backend, image, criAddress }: FloorOf): Floor {
  if (backend === "docker") return { name: "Docker API create + start", measure: () => rawContainer(image ?? "") };
  if (backend === "process") return { name: "bwrap bash -c true", measure: rawBubblewrap };
  if (backend !== "containerd") return { name: "bash -c true", measure: rawBash };
  return { name: "CRI pod + container", measure: async () => (await rawPod(criAddress ?? "")).started };
}

/** A container that sleeps, made and started over the Docker API, in milliseconds. */
async function rawContainer(image: string): Promise<number> {
  const docker = dockerHttp(dockerEndpoint({ host: process.env["DOCKER_HOST"] }));
  const body = { Image: image, Entrypoint: [], Cmd: ["sleep", "60"], HostConfig: { NetworkMode: "none" } };
  const started = performance.now();
  const { Id } = (await docker.json({ method: "POST", path: "/containers/create", body })) as { Id: string };
  try {
    await docker.json({ method: "POST", path: `/containers/${Id}/start` });
    return performance.now() - started;
  } finally {
    await docker.json({ method: "DELETE", path: `/containers/${Id}`, query: { force: "1" } });
    docker.close();
  }
}

/** The least that it takes to end and take away what the floor of a start has made. */
export function removalFloorOf({ backend, image, criAddress }: FloorOf): Floor {
  if (backend === "docker") return { name: "Docker API remove by force", measure: () => rawRemoval(image ?? "") };
  if (backend === "containerd")
    return { name: "CRI stop + remove", measure: async () => (await rawPod(criAddress ?? "")).removed };
  return { name: "kill of a bash", measure: rawKill };
}

async function rawRemoval(image: string): Promise<number> {
  const docker = dockerHttp(dockerEndpoint({ host: process.env["DOCKER_HOST"] }));
  const body = { Image: image, Entrypoint: [], Cmd: ["sleep", "60"], HostConfig: { NetworkMode: "none" } };
  try {
    const { Id } = (await docker.json({ method: "POST", path: "/containers/create", body })) as { Id: string };
    await docker.json({ method: "POST", path: `/containers/${Id}/start` });
    const before = performance.now();
    await docker.json({ method: "DELETE", path: `/containers/${Id}`, query: { force: "1" } });
    return performance.now() - before;
  } finally {
    docker.close();
  }
}

async function rawKill(): Promise<number> {
  const shell = spawn("bash", ["-c", "echo up; sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
  await once(shell.stdout, "data");
  const before = performance.now();
  shell.kill("SIGKILL");
  await once(shell, "exit");
  return performance.now() - before;
}

/** The image of the containers that a conversation has, by its label. */
export async function imageOfSandbox(conversationId: string): Promise<string | undefined> {
  const docker = dockerHttp(dockerEndpoint({ host: process.env["DOCKER_HOST"] }));
  const query = { filters: JSON.stringify({ label: [`handrail.conversation=${conversationId}`] }) };
  const found = (await docker.json({ method: "GET", path: "/containers/json", query })) as { Image: string }[];
  docker.close();
  return found[0]?.Image;
}

const BOX = ["--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"];

async function rawBubblewrap(): Promise<number> {
  const { code, ms, output } = await runProgram("bwrap", [...BOX, "bash", "-c", "true"]);
  if (code !== 0) throw new Error(`bwrap: ${output.trim()}`);
  return ms;
}

const rawBash = async () => (await runProgram("bash", ["-c", "true"])).ms;

/** Round trips of `true` in one bash that stays, over its own pipes, in milliseconds. */
export async function shellTrips(count: number): Promise<number[]> {
  const shell = spawn("bash", ["--norc"], { stdio: ["pipe", "pipe", "inherit"] });
  const trips: number[] = [];
  for (let trip = 0; trip < count; trip++) {
    const before = performance.now();
    shell.stdin.write("true; echo $?\n");
    await once(shell.stdout, "data");
    trips.push(performance.now() - before);
  }
  shell.kill();
  return trips;
}
