import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { churnedConversation } from "@handrail/core/testing/churned-conversation";
import { sandboxGarbageContract } from "@handrail/core/testing/sandbox-garbage-contract";
import { newId } from "@handrail/protocol/ids";
import { describe, expect, onTestFinished, test } from "vitest";
import { daemonAnswers, DOCKER_HOST } from "../testing/docker-daemon.ts";
import { holdArchive } from "../testing/held-daemon.ts";
import { forgetInstallation } from "../testing/forget-installation.ts";
import { leftInDaemon } from "../testing/leftovers.ts";
import { killedInDaemon } from "../testing/killed-in-daemon.ts";
import { openChurned, startChurn } from "../testing/killed-servers.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";
import { LABEL } from "../labels/made-names.ts";
import type { Listed } from "../labels/listed.ts";

const answers = await daemonAnswers();

/** What is left of an installation in the daemon that tests use. */
async function inDaemon(installation: string) {
  const client = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
  try {
    return await leftInDaemon(client, installation);
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

describe.skipIf(!answers).each([
  ["docker", "disks"],
  ["helper", "disks of the daemon's machine"],
  ["volumes", "volumes"],
] as const)("%s", (kind, on) => {
  sandboxGarbageContract(`docker with workspaces on ${on}`, () => killedInDaemon({ kind, rounds: 3, latestMs: 2000 }));
});
