import type { DockerParts } from "./docker-backend.ts";
import { isConflict } from "./docker-error.ts";
import { LABEL } from "./docker-names.ts";
import type { Listed } from "./docker-shapes.ts";
import { tryEach } from "../try-each.ts";

/** What of a backend it takes. */
export type CollectParts = {
  readonly client: Pick<DockerParts["client"], "listContainers" | "removeContainer" | "listVolumes" | "removeVolume">;
  readonly names: Pick<DockerParts["names"], "installation">;
  readonly volumes: Pick<DockerParts["volumes"], "programsName" | "isFilling">;
  readonly disks: Pick<DockerParts["disks"], "collect">;
  readonly daemonDisks: Pick<DockerParts["daemonDisks"], "helper" | "tidy">;
  readonly links: Pick<DockerParts["links"], "release">;
};

/**
 * Removes containers, volumes and disks of this installation whose conversation is not in `keep`, and programs of other
 * versions. What is in use by something else stays for the next time, and what cannot be removed keeps nothing else.
 * @throws the first failure, once all was tried
 */
export async function collectLeftovers(parts: CollectParts, keep: ReadonlySet<string>): Promise<void> {
  const { client, names } = parts;
  const ours = [`${LABEL.installation}=${names.installation}`];
  const programs = await parts.volumes.programsName();
  const isLeftover = ({ labels, state }: Listed) => {
    const conversation = labels[LABEL.conversation];
    const helper = labels[LABEL.helper];
    // One that runs ends with its server.
    if (helper !== undefined) return helper !== parts.daemonDisks.helper && state !== "running";
    return conversation === undefined ? labels[LABEL.programs] !== programs : !keep.has(conversation);
  };
  // A server that was killed may have left the one through which these programs were to come, too.
  const isLeftContainer = (listed: Listed) =>
    listed.labels[LABEL.programs] === programs ? !parts.volumes.isFilling() : isLeftover(listed);
  const containers = async () =>
    tryEach((await client.listContainers(ours)).filter(isLeftContainer), async ({ id, labels }) => {
      const conversation = labels[LABEL.conversation];
      if (conversation !== undefined) parts.links.release(conversation);
      await client.removeContainer(id);
    });
  const volumes = async () => {
    const leftovers = (await client.listVolumes(ours)).filter(isLeftover);
    await parts.daemonDisks.tidy(leftovers);
    await tryEach(leftovers, ({ name }) =>
      client.removeVolume(name).catch((thrown: unknown) => {
        if (!isConflict(thrown)) throw thrown;
      }),
    );
  };
  await tryEach([containers, volumes, () => parts.disks.collect(keep)], (part) => part());
}
