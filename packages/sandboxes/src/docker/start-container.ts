import type { Duplex } from "node:stream";
import { newId } from "@handrail/protocol/ids";
import { limitsUnder, profileOf, PROFILES } from "../profiles.ts";
import { containerUid } from "../sandbox-user.ts";
import { SANDBOX_STARTING } from "../texts.ts";
import type { ContainerWish } from "./container-spec.ts";
import { sandboxContainer } from "./container-spec.ts";
import type { DockerParts, Starting } from "./docker-backend.ts";
import { choiceLabel, LABEL } from "./docker-names.ts";
import type { ContainerState } from "./docker-shapes.ts";

/**
 * A container that was just started, and the image that it was started from. `stream` is the first connection to its
 * sandboxd, there from its first instant: an exec would take some 50 ms more. `complaints` gives the end of what it
 * wrote to its standard error.
 */
export type Started = ContainerState & {
  readonly image: string;
  readonly stream: Duplex;
  readonly complaints: () => string;
};

const ROOT = 0;

/**
 * Makes and starts the container of a conversation that has none, with the image, the programs and the workspace that
 * it needs. A container that does not start is taken away again.
 */
export async function startContainer(parts: DockerParts, starting: Starting): Promise<Started> {
  const { spec, onProgress, signal } = starting;
  const image = await parts.images.ensure({ image: spec.choice.image, onProgress, signal });
  onProgress(SANDBOX_STARTING);
  const filler = { imageId: image.id, signal };
  const profile = profileOf(spec.choice);
  const facts = await parts.facts();
  const most = limitsUnder(profile, parts.limits);
  // The daemon refuses a limit above the number of its processors.
  const limits = { ...most, cpus: Math.min(most.cpus, facts.cpus) };
  const own = containerUid(spec.conversationId, facts.userNamespaces);
  const owner = PROFILES[profile].root ? ROOT : own;
  const common = { imageId: image.id, profile, limits };
  if (await usesDisk(parts, spec.conversationId)) {
    const programs = await parts.volumes.programs(filler);
    return parts.disks.mounted({ ...spec, owner, bytes: limits.diskBytes }, async (disk) => {
      signal.throwIfAborted();
      return run(parts, starting, image.reference, {
        ...common,
        uid: owner,
        programs,
        storage: { type: "bind", ...disk },
      });
    });
  }
  const [programs, ownerBefore] = await Promise.all([
    parts.volumes.programs(filler),
    parts.volumes.workspace({ ...spec, owner }, filler),
  ]);
  signal.throwIfAborted();
  // A workspace from before each conversation had a user goes on with its own, save root.
  const uid = owner === ROOT || ownerBefore !== ROOT ? ownerBefore : own;
  const storage = { type: "volume", ...parts.volumes.ofWorkspace(spec.conversationId) } as const;
  return run(parts, starting, image.reference, { ...common, uid, programs, storage });
}

/** A workspace that is in volumes already stays there. */
async function usesDisk({ disks, volumes }: DockerParts, conversationId: string): Promise<boolean> {
  if (await disks.has(conversationId)) return true;
  return (await disks.work()) && !(await volumes.hasWorkspace(conversationId));
}

// oxlint-disable-next-line max-params -- who, for whom, of what, and how
async function run(
  { client, names }: DockerParts,
  { spec }: Starting,
  image: string,
  wish: Omit<ContainerWish, "labels">,
): Promise<Started> {
  const labels = {
    ...names.labels(spec.conversationId),
    [LABEL.sandbox]: newId("x", Date.now()),
    [LABEL.choice]: choiceLabel(spec.choice),
  };
  const id = await client.createContainer(names.container(spec.conversationId), sandboxContainer({ ...wish, labels }));
  let complaints = "";
  try {
    const stream = await client.attach(id, (bytes) => (complaints = (complaints + bytes.toString()).slice(-4000)));
    await client.startContainer(id);
    const state = { id, running: true, exitCode: 0, outOfMemory: false, labels };
    return { ...state, image, stream, complaints: () => complaints };
  } catch (thrown) {
    await client.removeContainer(id);
    throw thrown;
  }
}
