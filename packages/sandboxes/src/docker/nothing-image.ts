import { Readable } from "node:stream";
import { directoryTar } from "../directory-tar.ts";
import type { DockerClient } from "./docker-client.ts";
import { NOTHING_IMAGE } from "../labels/made-names.ts";

/**
 * The id of an image with nothing in it, for what must not be under the influence of any image. Its name is of a registry
 * that cannot be (RFC 2606), so nobody can have the daemon pull another one under it.
 */
export async function nothingImage(client: DockerClient): Promise<string> {
  const { repository, tag } = NOTHING_IMAGE;
  const reference = `${repository}:${tag}`;
  const there = await client.findImage(reference);
  if (there !== undefined) return there.id;
  await client.importImage(Readable.from([directoryTar(["handrail"], 0)]), repository, tag, []);
  return (await client.findImage(reference))?.id ?? reference;
}
