import { newId } from "@handrail/protocol/ids";
import { INSIDE } from "../sandbox-environment.ts";
import { probeContainer } from "./container-spec.ts";
import type { DockerClient } from "./docker-client.ts";
import { LABEL, type DockerNames } from "./docker-names.ts";

export type KernelQuestion = {
  readonly client: Pick<DockerClient, "createContainer" | "attach" | "startContainer" | "removeContainer">;
  readonly names: Pick<DockerNames, "installation" | "container">;
  readonly runtime: string;
  /** Nothing of it is run. */
  readonly imageId: string;
  /** The volume with our programs. */
  readonly programs: string;
};

/**
 * What the kernel says of itself in a container with this runtime, as in /proc/version (proc(5)). It is read by our own
 * ripgrep, which takes no library and no settings of the image: an image must not be able to lie about it.
 */
export async function kernelUnder({ client, names, runtime, imageId, programs }: KernelQuestion): Promise<string> {
  const labels = { [LABEL.installation]: names.installation };
  const argv = [`${INSIDE.programs}/rg`, "--no-config", "--no-filename", "--no-line-number", "^", "/proc/version"];
  const wish = probeContainer({ imageId, labels, programs, runtime, argv });
  const id = await client.createContainer(names.container(`kernel-${newId("x", Date.now())}`), wish);
  try {
    const stream = await client.attach(id, () => undefined);
    await client.startContainer(id);
    let said = "";
    for await (const bytes of stream) said = (said + String(bytes)).slice(0, 1000);
    if (said.startsWith("Linux version ")) return said;
    throw new Error(`A container with the runtime ${runtime} does not say what kernel it has.`);
  } finally {
    await client.removeContainer(id);
  }
}
