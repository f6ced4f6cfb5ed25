import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "@handrail/protocol/ids";
import { expect, onTestFinished, test } from "vitest";
import { daemonAnswers, DOCKER_HOST } from "../testing/docker-daemon.ts";
import { forgetInstallation } from "../testing/forget-installation.ts";
import { expectNothingLeft, filesOfLoops, openChurned } from "../testing/killed-servers.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";
import { LABEL } from "./docker-names.ts";
import type { Listed } from "./docker-shapes.ts";

const answers = await daemonAnswers();

/**
 * Containers and volumes of an installation, and what is mounted or open beside them on this machine, where the daemon is;
 * the volumes of the programs of this version, filled or not, stay for the next server.
 */
async function inDaemon(installation: string) {
  const client = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
  try {
    const ours = [`${LABEL.installation}=${installation}`];
    const [containers, volumes] = [await client.listContainers(ours), await client.listVolumes(ours)];
    const isLeft = ({ labels }: Listed) => labels[LABEL.programs] === undefined;
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

test.skipIf(!answers)(
  "a server that is killed while it fills in the programs leaves a container, which goes with the next one",
  { timeout: 60_000 },
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "handrail-garbage-"));
    const wish = { kind: "volumes", directory, installation: `t${newId("x", Date.now()).slice(-8)}` } as const;
    const client = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
    onTestFinished(async () => {
      await forgetInstallation(client, wish.installation);
      client.close();
      await rm(directory, { recursive: true, force: true });
    });
    const ours = [`${LABEL.installation}=${wish.installation}`];
    const filling = async () =>
      (await client.listContainers(ours)).filter(({ labels }) => labels[LABEL.programs] !== undefined).length;
    const program = join(import.meta.dirname, "../testing/churn-sandboxes.ts");
    const server = spawn(process.execPath, [program, JSON.stringify(wish)], { stdio: ["ignore", "ignore", "inherit"] });
    onTestFinished(() => void server.kill("SIGKILL"));
    await expect.poll(filling, { timeout: 30_000, interval: 5 }).toBe(1);
    server.kill("SIGKILL");
    await once(server, "exit");
    expect(await filling()).toBe(1);
    const next = openChurned(wish);
    await next.collect(new Set());
    await next.close();
    expect(await client.listContainers(ours)).toEqual([]);
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
    await expectNothingLeft({ kind, rounds: 3, latestMs: 2000, others });
  },
);
