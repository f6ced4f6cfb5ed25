import { execFileSync } from "node:child_process";
import { describe, expect, onTestFinished, test } from "vitest";
import { containerdImages } from "./containerd/containerd-images.ts";
import { criClient } from "./containerd/cri-client.ts";
import { dockerClient } from "./docker/docker-client.ts";
import { dockerEndpoint } from "./docker/docker-endpoint.ts";
import { dockerImages } from "./docker/docker-image.ts";
import { canRunContainerd, startContainerd } from "./testing/containerd-daemon.ts";
import { daemonAnswers, DOCKER_HOST } from "./testing/docker-daemon.ts";
import { slowRegistry } from "./testing/slow-registry.ts";

const SOURCE = { defaultImage: undefined, fallbackImage: "none:1", cacheDirectory: "/nonexistent" };
const [docker, containerd] = [await daemonAnswers(), await canRunContainerd()];

type Ensure = (image: string, onProgress: (text: string) => void) => Promise<unknown>;

/** Pulls an image that comes halfway, and then wholly. */
async function expectTold(ensure: Ensure): Promise<string> {
  const { reference, release, close } = await slowRegistry();
  onTestFinished(close);
  const said: string[] = [];
  const pulling = ensure(reference, (text) => said.push(text));
  pulling.catch(() => undefined);
  await expect.poll(() => said.at(-1)).toMatch(/^Pulling image \S+, [1-4] of 8 MB\.$/);
  release();
  await pulling;
  expect(said[0]).toBe(`Pulling image ${reference}.`);
  return reference;
}

describe("a pull is told while it goes on", () => {
  const signal = AbortSignal.timeout(120_000);

  test.skipIf(!docker)("docker", async () => {
    const client = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
    onTestFinished(() => client.close());
    const { ensure } = dockerImages(client, SOURCE, signal);
    const reference = await expectTold((image, onProgress) => ensure({ image, onProgress, signal }));
    const host = DOCKER_HOST ?? "unix:///var/run/docker.sock";
    execFileSync("docker", ["--host", host, "rmi", "-f", reference], { stdio: "ignore" });
  });

  test.skipIf(!containerd)("containerd", async () => {
    const daemon = await startContainerd();
    const client = criClient(daemon.address);
    onTestFinished(async () => {
      client.close();
      await daemon.dispose();
    });
    const images = containerdImages(client, { ...SOURCE, socketPath: daemon.address }, signal);
    await expectTold((image, onProgress) => images.ensure({ image, onProgress, signal }));
  });
});
