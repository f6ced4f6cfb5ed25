import { spawn } from "node:child_process";
import { once } from "node:events";
import { dockerEndpoint } from "@handrail/sandboxes/docker/docker-endpoint";
import { dockerHttp } from "@handrail/sandboxes/docker/docker-http";
import type { BackendName } from "@handrail/protocol/sources";
import { rawPod } from "./raw-pod.ts";
import { timed } from "../samples.ts";
import { runProgram } from "./run-program.ts";

/** What was started: how long that took, in milliseconds, and what ends it and takes it away. */
export type Begun = { readonly ms: number; readonly remove: () => Promise<void> };

/** The least that this machine allows for a backend's way of isolating. `measure` starts and takes away. */
export type Floor = {
  readonly name: string;
  readonly begin: () => Promise<Begun>;
  readonly measure: () => Promise<number>;
};

/** Where a runtime listens that speaks CRI, and its handler for pods with a network. */
export type CriPlace = { readonly address: string; readonly networked?: string };

/** What floors need to know of a backend. `image` is what its containers in Docker are made of. */
export type FloorOf = {
  readonly backend: BackendName;
  readonly image?: string | undefined;
  readonly cri?: CriPlace | undefined;
};

/** The least that it takes to start something in a backend's way. */
export function floorOf({ backend, image, cri }: FloorOf): Floor {
  if (backend === "docker") return floor("Docker API create + start", () => rawContainer(image ?? ""));
  if (backend === "process") return floor("bwrap bash -c true", () => ended(rawBubblewrap));
  if (backend !== "containerd") return floor("bash -c true", () => ended(rawBash));
  return floor("CRI pod + container", () => rawPod(cri?.address ?? ""));
}

/**
 * How the daemon of a backend starts by its own configuration. CRI gives pods a network by it, and has none of Handrail's
 * unless it was told so; of a runtime whose handlers are not known it is the floor.
 */
export function daemonsOwn(of: FloorOf): Floor {
  const { address, networked } = of.cri ?? {};
  if (address === undefined || networked === undefined) return floorOf(of);
  return floor("CRI pod with a network + container", () => rawPod(address, networked));
}

function floor(name: string, begin: () => Promise<Begun>): Floor {
  const measure = async () => {
    const { ms, remove } = await begin();
    await remove();
    return ms;
  };
  return { name, begin, measure };
}

/** Of a program that has ended nothing is left to take away. */
const ended = async (run: () => Promise<number>): Promise<Begun> => ({
  ms: await run(),
  remove: async () => undefined,
});

/** A container that sleeps, made and started over the Docker API. */
async function rawContainer(image: string): Promise<Begun> {
  const docker = dockerHttp(dockerEndpoint({ host: process.env["DOCKER_HOST"] }));
  const body = { Image: image, Entrypoint: [], Cmd: ["sleep", "60"], HostConfig: { NetworkMode: "none" } };
  let made: string | undefined;
  const remove = async () => {
    if (made !== undefined) await docker.json({ method: "DELETE", path: `/containers/${made}`, query: { force: "1" } });
    docker.close();
  };
  try {
    const before = performance.now();
    const { Id } = (await docker.json({ method: "POST", path: "/containers/create", body })) as { Id: string };
    made = Id;
    await docker.json({ method: "POST", path: `/containers/${Id}/start` });
    return { ms: performance.now() - before, remove };
  } catch (failure) {
    await remove();
    throw failure;
  }
}

/** The least that it takes to end and take away what the floor of a start has made. */
export function removalFloorOf(of: FloorOf): { readonly name: string; measure(): Promise<number> } {
  if (of.backend === "docker") return { name: "Docker API remove by force", measure: () => removal(floorOf(of)) };
  if (of.backend === "containerd") return { name: "CRI stop + remove", measure: () => removal(floorOf(of)) };
  return { name: "kill of a bash", measure: rawKill };
}

async function removal({ begin }: Floor): Promise<number> {
  const { remove } = await begin();
  return timed(remove);
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
