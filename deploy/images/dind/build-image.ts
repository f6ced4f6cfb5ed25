// Makes the image of a Docker daemon that runs in a container, unless the daemon has it: node deploy/images/dind/build-image.ts
import { dockerClient } from "../../../packages/sandboxes/src/docker/docker-client.ts";
import { dockerEndpoint } from "../../../packages/sandboxes/src/docker/docker-endpoint.ts";
import { buildDindImage } from "../../../packages/sandboxes/src/image/build-dind-image.ts";
import { cacheDirectoryOr } from "../../../packages/sandboxes/src/image/cache-directory.ts";
import { config } from "../sandbox/config.ts";

const say = (text: string) => process.stdout.write(`${text}\n`);
const client = dockerClient(dockerEndpoint(config));
try {
  const { signal } = new AbortController();
  const cacheDirectory = cacheDirectoryOr(config.cacheDirectory);
  say(`The image is ${await buildDindImage(client, { cacheDirectory, onProgress: say, signal })}.`);
} catch (thrown) {
  say(thrown instanceof Error ? thrown.message : String(thrown));
  process.exitCode = 1;
} finally {
  client.close();
}
