import { AppError } from "@handrail/protocol/errors";
import { dockerClient } from "../docker/docker-client.ts";
import type { DockerAddress } from "../docker/docker-endpoint.ts";
import { dockerEndpoint } from "../docker/docker-endpoint.ts";
import { BUILT_IMAGE, buildImage } from "../docker/docker-image.ts";
import { canBuildRoot } from "./build-root.ts";
import { cacheDirectoryOr } from "./cache-directory.ts";

export type DefaultImageBuild = DockerAddress & {
  /** Undefined: `~/.cache/handrail`. */
  readonly cacheDirectory: string | undefined;
  readonly onProgress: (text: string) => void;
};

/**
 * The reference of the default image, after it was built if the daemon did not have it.
 * @throws AppError `image_unavailable`, `backend_unavailable`
 */
export async function buildDefaultImage(build: DefaultImageBuild): Promise<string> {
  const client = dockerClient(dockerEndpoint(build));
  try {
    if ((await client.findImage(BUILT_IMAGE)) !== undefined) return BUILT_IMAGE;
    if (!(await canBuildRoot())) throw unbuildable();
    const signal = new AbortController().signal;
    await buildImage(client, { ...build, cacheDirectory: cacheDirectoryOr(build.cacheDirectory), signal });
    return BUILT_IMAGE;
  } finally {
    client.close();
  }
}

function unbuildable(): AppError {
  const message = "Building the default image takes root and mmdebstrap (apt-get install mmdebstrap).";
  return new AppError("image_unavailable", message);
}
