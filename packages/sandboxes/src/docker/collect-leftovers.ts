import type { KeptConversations } from "@handrail/core/ports/sandbox";
import type { DockerParts } from "./docker-backend.ts";
import { isConflict } from "./docker-error.ts";
import { LABEL } from "../labels/made-names.ts";
import type { Listed } from "../labels/listed.ts";
import { hasEnded } from "../labels/makers.ts";
import { type OldImagesParts, removeOldImages } from "./old-images.ts";
import { tryEach } from "../try-each.ts";

/** What of a backend it takes. */
export type CollectParts = {
  readonly client: OldImagesParts["client"] &
    Pick<DockerParts["client"], "listContainers" | "removeContainer" | "listVolumes" | "removeVolume">;
  readonly names: Pick<DockerParts["names"], "installation" | "isAtWork">;
  readonly volumes: Pick<DockerParts["volumes"], "programsName">;
  readonly disks: Pick<DockerParts["disks"], "collect">;
  readonly daemonDisks: Pick<DockerParts["daemonDisks"], "tidy">;
  readonly links: Pick<DockerParts["links"], "release">;
};

/**
 * Removes containers, volumes and disks of this installation whose conversation is not in `keep`, programs of other
 * versions, default images of earlier recipes, and what servers that were killed were at work with. What is in use by something else stays for the next time,
 * and what cannot be removed keeps nothing else.
 * @throws the first failure, once all was tried
 */
export async function collectLeftovers(parts: CollectParts, keep: KeptConversations): Promise<void> {
  const { client, names } = parts;
  const ours = [`${LABEL.installation}=${names.installation}`];
  const isForgotten = ({ labels: { [LABEL.conversation]: conversation } }: Listed) =>
    conversation !== undefined && !keep.has(conversation);
  const containers = async () => {
    const isLeft = (one: Listed) => isForgotten(one) || (isStill(one) && !names.isAtWork(one, Date.now()));
    await tryEach((await client.listContainers(ours)).filter(isLeft), async (one) => {
      if (isForgotten(one)) parts.links.release(one.labels[LABEL.conversation] ?? "");
      await client.removeContainer(one.id);
    });
  };
  const volumes = async () => {
    const listed = await client.listVolumes(ours);
    // Asked after that: what has become whole meanwhile was at work then.
    const programs = await parts.volumes.programsName();
    const isLeft = (one: Listed) =>
      one.labels[LABEL.conversation] === undefined
        ? one.labels[LABEL.programs] !== (programs ?? "") && !names.isAtWork(one, Date.now())
        : isForgotten(one);
    const leftovers = listed.filter(isLeft);
    await parts.daemonDisks.tidy(leftovers);
    await tryEach(leftovers, ({ name }) =>
      client.removeVolume(name).catch((thrown: unknown) => {
        if (!isConflict(thrown)) throw thrown;
      }),
    );
  };
  await tryEach([containers, volumes, () => parts.disks.collect(keep), () => removeOldImages(parts)], (part) => part());
}

/** Sandboxes, keepers and helpers end by themselves when nobody needs them; a probe is over as soon as it has said something. */
function isStill({ state, labels }: Listed): boolean {
  const goesOn = labels[LABEL.sandbox] ?? labels[LABEL.keeper] ?? labels[LABEL.helper];
  return state === "created" || hasEnded(state) || goesOn === undefined;
}
