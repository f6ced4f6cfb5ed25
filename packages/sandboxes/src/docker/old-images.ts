import { IMAGE_REPOSITORY } from "../image/image-recipe.ts";
import { LABEL } from "../labels/made-names.ts";
import type { MadeNames } from "../labels/made-names.ts";
import { tryEach } from "../try-each.ts";
import type { DockerClient } from "./docker-client.ts";
import { isConflict } from "./docker-error.ts";
import { BUILT_IMAGE } from "./docker-image.ts";

export type OldImagesParts = {
  readonly client: Pick<DockerClient, "listImages" | "removeImage">;
  readonly names: Pick<MadeNames, "installation">;
};

/** Names of built images; Podman puts a registry before them. */
const BUILT = new RegExp(`(^|/)${IMAGE_REPOSITORY}:[0-9a-f]{12}$`);

/**
 * Takes their names from default images that this installation built by earlier recipes, once it has built a newer one; with
 * its last name an image goes. One that a container is made of stays, and so does what has another name.
 */
export async function removeOldImages({ client, names }: OldImagesParts): Promise<void> {
  const built = await client.listImages([`${LABEL.image}=${names.installation}`]);
  const isNow = (reference: string) => reference === BUILT_IMAGE || reference.endsWith(`/${BUILT_IMAGE}`);
  const now = built.find(({ references }) => references.some(isNow));
  if (now === undefined) return;
  const older = built.filter(({ createdAtMs }) => createdAtMs < now.createdAtMs);
  const old = older.flatMap(({ references }) => references.filter((reference) => BUILT.test(reference)));
  await tryEach(old, (reference) =>
    client.removeImage(reference).catch((thrown: unknown) => {
      if (!isConflict(thrown)) throw thrown;
    }),
  );
}
