import type { DockerParts } from "./docker-backend.ts";
import { isConflict } from "./docker-error.ts";
import { LABEL } from "./docker-names.ts";

/**
 * Removes containers, volumes and disks of this installation whose conversation is not in `keep`, and programs of other
 * versions. What is in use by something else stays for the next time.
 */
export async function collectLeftovers(parts: DockerParts, keep: ReadonlySet<string>): Promise<void> {
  const { client, names } = parts;
  const ours = [`${LABEL.installation}=${names.installation}`];
  const programs = await parts.volumes.programsName();
  const isLeftover = ({ labels }: { readonly labels: Readonly<Record<string, string>> }) => {
    const conversation = labels[LABEL.conversation];
    return conversation === undefined ? labels[LABEL.programs] !== programs : !keep.has(conversation);
  };
  for (const container of (await client.listContainers(ours)).filter(isLeftover)) {
    const conversation = container.labels[LABEL.conversation];
    if (conversation !== undefined) parts.links.release(conversation);
    await client.removeContainer(container.id);
  }
  for (const volume of (await client.listVolumes(ours)).filter(isLeftover)) {
    await client.removeVolume(volume.name).catch((thrown: unknown) => {
      if (!isConflict(thrown)) throw thrown;
    });
  }
  await parts.disks.collect(keep);
}
