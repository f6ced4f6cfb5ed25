import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "@handrail/protocol/ids";
import { expect, onTestFinished, test } from "vitest";
import { daemonAnswers, DOCKER_HOST } from "../testing/docker-daemon.ts";
import { holdArchive } from "../testing/held-daemon.ts";
import { forgetInstallation } from "../testing/forget-installation.ts";
import {
  churnedConversation,
  expectNothingLeft,
  filesOfLoops,
  openChurned,
  startChurn,
} from "../testing/killed-servers.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";
import { LABEL } from "../labels/made-names.ts";
import type { Listed } from "../labels/listed.ts";

const answers = await daemonAnswers();

/**
 * Containers and volumes of an installation, and what is mounted or open beside them on this machine, where the daemon is;
 * the volume of programs that is whole stays for the next server.
 */
async function inDaemon(installation: string) {
  const client = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
  try {
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
  } finally {
    client.close();
  }
}

/** What has such a label, and is neither a sandbox nor a helper. */
const isCarrier = (labels: Listed["labels"], label: string) =>
  labels[label] !== undefined && (labels[LABEL.sandbox] ?? labels[LABEL.helper]) === undefined;

/** A server that stands still while it fills what its carrier has a label of. */
async function stoppedAtFilling(kind: "volumes" | "helper", label: string) {
  const directory = await mkdtemp(join(tmpdir(), "handrail-garbage-"));
  const seed = join(directory, "seed");
  await mkdir(seed);
  const installation = `t${newId("x", Date.now()).slice(-8)}`;
  const client = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
  const { endpoint } = client;
  const target = endpoint.type === "socket" ? endpoint.path : "";
  const isHeld = async (id: string) => isCarrier((await client.findContainer(id))?.labels ?? {}, label);
  const daemon = await holdArchive(join(directory, "docker.sock"), target, isHeld);
  const wish = { kind, directory, installation, seed };
  const next = openChurned(wish);
  const server = startChurn({ ...wish, host: daemon.host });
  const kill = async () => {
    server.kill("SIGKILL");
    await once(server, "exit");
    await daemon.close();
  };
  onTestFinished(async () => {
    if (server.signalCode === null) await kill();
    await next.close();
    await forgetInstallation(client, installation);
    client.close();
    await rm(directory, { recursive: true, force: true });
  });
  const ours = [`${LABEL.installation}=${installation}`];
  const carriers = async () =>
    (await client.listContainers(ours)).filter(({ labels }) => isCarrier(labels, label)).length;
  await daemon.held;
  return { installation, carriers, kill, next };
}

const answersHere = answers && dockerEndpoint({ host: DOCKER_HOST }).type === "socket";
const KEEP = new Set([churnedConversation(0)]);

test.skipIf(!answersHere).each([
  ["the programs", "volumes", LABEL.programs],
  ["a workspace in volumes", "volumes", LABEL.conversation],
  ["a workspace on a disk of the daemon's machine", "helper", LABEL.conversation],
] as const)(
  "the container through which a server fills %s stays while the server lives, and goes when it is killed",
  async (_what, kind, label) => {
    const { carriers, kill, next } = await stoppedAtFilling(kind, label);
    await next.collect(KEEP);
    expect(await carriers()).toBe(1);
    await kill();
    await next.collect(KEEP);
    expect(await carriers()).toBe(0);
  },
);

test.skipIf(!answersHere).each(["volumes", "helper"] as const)(
  "a conversation can be removed whose server was killed while it filled the workspace: %s",
  async (kind) => {
    const { installation, kill, next } = await stoppedAtFilling(kind, LABEL.conversation);
    await kill();
    await next.remove(churnedConversation(0));
    const { containers, volumes, ...others } = await inDaemon(installation);
    const ofConversation = ({ labels }: Listed) => labels[LABEL.conversation] !== undefined;
    expect([...containers, ...volumes].filter(ofConversation)).toEqual([]);
    expect(others).toEqual({ mounts: [], loops: [] });
  },
);

test.skipIf(!answers).each([
  ["docker", "disks"],
  ["helper", "disks of the daemon's machine"],
  ["volumes", "volumes"],
] as const)(
  "whenever a server is killed, nothing is left of its sandboxes after the next one has tidied up: %s, workspaces on %s",
  { timeout: 240_000 },
  async (kind, _on) => {
    const installations = new Set<string>();
    onTestFinished(async () => {
      const client = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
      for (const installation of installations) await forgetInstallation(client, installation);
      client.close();
      expect(installations.size).toBe(1);
    });
    const others = (installation: string) => {
      installations.add(installation);
      return inDaemon(installation);
    };
    const halfMade = async (installation: string) =>
      (await inDaemon(installation)).containers.filter(({ state }) => state !== "running");
    await expectNothingLeft({ kind, rounds: 3, latestMs: 2000, others, halfMade });
  },
);
