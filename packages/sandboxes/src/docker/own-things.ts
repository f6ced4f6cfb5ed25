import { AppError } from "@handrail/protocol/errors";
import { LABEL } from "../labels/made-names.ts";
import type { MadeNames } from "../labels/made-names.ts";
import type { DockerClient } from "./docker-client.ts";
import type { VolumeFacts } from "./docker-shapes.ts";

type Parts<Call extends keyof DockerClient> = {
  readonly client: Pick<DockerClient, Call>;
  readonly names: Pick<MadeNames, "installation">;
};

type Labelled = { readonly labels: Readonly<Record<string, string>> };

/** Whether this installation made it: names alone do not tell, since others may have given the same ones. */
export function isOurs({ names }: Pick<Parts<never>, "names">, { labels }: Labelled): boolean {
  return labels[LABEL.installation] === names.installation;
}

/** Removes the container of that name if it is ours. Gives whether the name is free now. */
export async function removeOwnContainer(
  parts: Parts<"findContainer" | "removeContainer">,
  name: string,
): Promise<boolean> {
  const found = await parts.client.findContainer(name);
  if (found === undefined) return true;
  if (!isOurs(parts, found)) return false;
  await parts.client.removeContainer(found.id);
  return true;
}

/** Removes the volume of that name if it is ours. Gives whether the name is free now. */
export async function removeOwnVolume(parts: Parts<"findVolume" | "removeVolume">, name: string): Promise<boolean> {
  const found = await parts.client.findVolume(name);
  if (found === undefined) return true;
  if (!isOurs(parts, found)) return false;
  await parts.client.removeVolume(name);
  return true;
}

/** Makes a volume unless it is there. @throws AppError `sandbox_failed` where it is there and not ours */
export async function makeVolume(
  client: Pick<DockerClient, "createVolume">,
  ...volume: Parameters<DockerClient["createVolume"]>
): Promise<VolumeFacts> {
  const [name, labels] = volume;
  const made = await client.createVolume(...volume);
  if (made.labels[LABEL.installation] === labels[LABEL.installation]) return made;
  throw taken("volume", name);
}

/** What is said when a name that we need is in use. */
export function taken(kind: "container" | "volume", name: string): AppError {
  return new AppError(
    "sandbox_failed",
    `The ${kind} ${name} was not made by this installation of Handrail, which needs its name. Remove or rename it.`,
    { [kind]: name },
  );
}
