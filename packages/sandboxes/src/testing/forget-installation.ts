import type { DockerClient } from "../docker/docker-client.ts";
import { LABEL } from "../docker/docker-names.ts";

/** Removes all that an installation has in a daemon, with what it keeps there between its servers. */
export async function forgetInstallation(client: DockerClient, installation: string): Promise<void> {
  const ours = [`${LABEL.installation}=${installation}`];
  for (const { id } of await client.listContainers(ours)) await client.removeContainer(id);
  for (const { name } of await client.listVolumes(ours)) await client.removeVolume(name);
}
