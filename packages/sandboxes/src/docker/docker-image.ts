import { createReadStream } from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import { buildRoot, canBuildRoot } from "../image/build-root.ts";
import { IMAGE_CHANGES, IMAGE_REPOSITORY, recipeTag } from "../image/image-recipe.ts";
import { LABEL } from "../labels/made-names.ts";
import { sharedWork } from "../shared-work.ts";
import type { DockerClient } from "./docker-client.ts";
import { DockerError } from "./docker-error.ts";
import type { ImageSource, ImageWish } from "../image/image-wish.ts";
import type { ImageFacts } from "./docker-shapes.ts";
import { pullReport } from "../pull-report.ts";

/** The daemon, as far as images need it. */
export type ImageClient = Pick<DockerClient, "findImage" | "pullImage" | "importImage">;

/** The reference of the image that is built from the recipe. */
export const BUILT_IMAGE = `${IMAGE_REPOSITORY}:${recipeTag()}`;

export type DockerImages = {
  readonly ensure: (wish: ImageWish) => Promise<ImageFacts & { readonly reference: string }>;
};

/**
 * Images of one daemon; `ensure` gives one that is there, after pulling or building it if need be. A build goes on
 * when those who wait for it give up, until `closing`.
 */
export function dockerImages(
  client: ImageClient,
  source: ImageSource & Pick<ImageBuild, "installation">,
  closing: AbortSignal,
): DockerImages {
  const build = sharedWork((onProgress) => buildImage(client, { ...source, onProgress, signal: closing }));
  return {
    ensure: async (wish) => {
      const reference = wish.image ?? source.defaultImage ?? BUILT_IMAGE;
      const present = await client.findImage(reference);
      if (present !== undefined) return { ...fitting(reference, present), reference };
      if (reference !== BUILT_IMAGE) return pulled(client, reference, wish);
      if (!(await canBuildRoot())) return pulled(client, source.fallbackImage, wish);
      await build.join(wish.onProgress, wish.signal);
      return { ...(await found(client, reference)), reference };
    },
  };
}

/** `installation`: which one the image is a part of, that removes it when it has a newer one; undefined: none. */
export type ImageBuild = Omit<ImageWish, "image"> &
  Pick<ImageSource, "cacheDirectory"> & { readonly installation?: string | undefined };

/**
 * Builds the default image and gives it to the daemon.
 * @throws AppError `image_unavailable`, `backend_unavailable`; the signal's reason when aborted
 */
export async function buildImage(client: ImageClient, build: ImageBuild): Promise<void> {
  const { installation, onProgress } = build;
  const tarFile = await buildRoot(build);
  onProgress("Handing the default image to Docker.");
  const label = installation === undefined ? [] : [`LABEL ${LABEL.image}=${installation}`];
  await client.importImage(createReadStream(tarFile), IMAGE_REPOSITORY, recipeTag(), [...IMAGE_CHANGES, ...label]);
}

async function pulled(client: ImageClient, reference: string, wish: ImageWish) {
  const present = await client.findImage(reference);
  if (present !== undefined) return { ...fitting(reference, present), reference };
  wish.onProgress(`Pulling image ${reference}.`);
  try {
    await client.pullImage(reference, pullReport(reference, wish.onProgress), wish.signal);
  } catch (thrown) {
    throw thrown instanceof DockerError ? unpullable(reference, thrown) : thrown;
  }
  return { ...(await found(client, reference)), reference };
}

async function found(client: ImageClient, reference: string): Promise<ImageFacts> {
  const facts = await client.findImage(reference);
  if (facts !== undefined) return fitting(reference, facts);
  throw new AppError("image_unavailable", `The image ${reference} is not there after it was fetched.`, { reference });
}

/** @throws AppError `image_unavailable` for an image of another processor: sandboxd could not run in it */
function fitting(reference: string, facts: ImageFacts): ImageFacts {
  const ours = process.arch === "x64" ? "amd64" : process.arch;
  if (facts.architecture === ours) return facts;
  const message = `The image ${reference} is for ${facts.architecture}, and this machine is ${ours}. Choose an image for ${ours}.`;
  throw new AppError("image_unavailable", message, { reference, architecture: facts.architecture });
}

function unpullable(reference: string, cause: DockerError): AppError {
  const message = `The image ${reference} is not on the Docker host and could not be pulled (${cause.message}). Check its name, make it available with docker pull or docker load, or choose another image.`;
  return new AppError("image_unavailable", message, { reference, reason: cause.message }, { cause });
}
