import { newId } from "@handrail/protocol/ids";
import { INSIDE } from "../sandbox-environment.ts";
import { probeContainer, type ProbeWish } from "./container-spec.ts";
import type { DockerClient } from "./docker-client.ts";
import { LABEL, type MadeNames } from "../labels/made-names.ts";
import type { DockerVolumes } from "./docker-volumes.ts";
import { nothingImage } from "./nothing-image.ts";

const MOST_CHARACTERS = 65_536;
const FILL_PROGRAMS_MS = 300_000;

export type KernelQuestion = {
  readonly client: Pick<DockerClient, "createContainer" | "attach" | "startContainer" | "removeContainer">;
  readonly names: Pick<MadeNames, "installation" | "container" | "madeHere">;
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
  const said = await textInside({ client, names, imageId, programs }, "/proc/version", { runtime });
  if (said.startsWith("Linux version ")) return said;
  throw new Error(`A container with the runtime ${runtime} does not say what kernel it has.`);
}

export type Inside = Pick<KernelQuestion, "client" | "names" | "imageId" | "programs">;

/** What it takes to look into a container. */
export type InsideParts = {
  readonly client: DockerClient;
  readonly names: MadeNames;
  readonly volumes: Pick<DockerVolumes, "programs">;
};

/** A container of no image, with our programs. @throws AppError, DockerError */
export async function insideOf({ client, names, volumes }: InsideParts): Promise<Inside> {
  const imageId = await nothingImage(client);
  const { name: programs } = await volumes.programs({ imageId, signal: AbortSignal.timeout(FILL_PROGRAMS_MS) });
  return { client, names, imageId, programs };
}

/** A file of the kernel's as a container has it, with that runtime or with a directory of the daemon's machine in it. */
export function textInside(inside: Inside, file: string, more: ProbeWish): Promise<string> {
  const options = ["--no-config", "--no-filename", "--no-line-number"];
  return saidInside(inside, ["rg", ...options, "^", file], more);
}

/** What one of our programs says in a container, to its end. */
export async function saidInside(
  { client, names, imageId, programs }: Inside,
  [program = "", ...args]: readonly string[],
  more: ProbeWish,
): Promise<string> {
  const labels = { [LABEL.installation]: names.installation, ...names.madeHere() };
  const argv = [`${INSIDE.programs}/${program}`, ...args];
  const wish = probeContainer({ imageId, labels, programs, argv, ...more });
  const id = await client.createContainer(names.container(`probe-${newId("x", Date.now())}`), wish);
  try {
    const stream = await client.attach(id, () => undefined);
    await client.startContainer(id);
    let said = "";
    for await (const bytes of stream) said = (said + String(bytes)).slice(0, MOST_CHARACTERS);
    return said;
  } finally {
    await client.removeContainer(id);
  }
}
