import { dirname } from "node:path";
import { type DockerClient, dockerClient } from "../docker/docker-client.ts";
import { dockerEndpoint } from "../docker/docker-endpoint.ts";
import { LABEL } from "../labels/made-names.ts";
import { DOCKER_HOST } from "./docker-daemon.ts";
import { unmountBelow } from "./end-daemon.ts";

/** Removes all that an installation has in a daemon, with what it keeps there between its servers. */
export async function forgetInstallation(client: DockerClient, installation: string): Promise<void> {
  await forgetLabelled(client, [`${LABEL.installation}=${installation}`]);
}

/** Removes all containers and volumes of a daemon that a suite has for itself. Images stay. */
export async function forgetAll(client: DockerClient): Promise<void> {
  await forgetLabelled(client, []);
}

async function forgetLabelled(client: DockerClient, labels: readonly string[]): Promise<void> {
  for (const { id } of await client.listContainers(labels)) await client.removeContainer(id);
  for (const { name } of await client.listVolumes(labels)) {
    // A server that was killed while it tried a disk leaves it mounted beside its volume, for the next one to take away.
    const volume = await client.findVolume(name);
    if (volume !== undefined) await unmountBelow(dirname(volume.directory));
    await client.removeVolume(name);
  }
}

/** The same in the daemon that tests use. Nothing happens where none answers. */
export async function forgetInDocker(installation: string): Promise<void> {
  const client = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
  try {
    const answers = await client.ping(AbortSignal.timeout(30_000)).then(
      () => true,
      () => false,
    );
    if (answers) await forgetInstallation(client, installation);
  } finally {
    client.close();
  }
}
