import type { Duplex } from "node:stream";
import { newId } from "@handrail/protocol/ids";
import { SANDBOX_STARTING } from "../texts.ts";
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

/**
 * Makes and starts the container of a conversation that has none, with the image, the programs and the workspace that
 * it needs. A container that does not start is taken away again.
 */
export async function startContainer(parts: DockerParts, starting: Starting): Promise<Started> {
  const { client, names } = parts;
  const { spec, onProgress, signal } = starting;
  const image = await parts.images.ensure({ image: spec.choice.image, onProgress, signal });
  onProgress(SANDBOX_STARTING);
  const filler = { imageId: image.id, signal };
  const [programs, cpus] = await Promise.all([
    parts.volumes.programs(filler),
    parts.cpus(),
    parts.volumes.workspace(spec.conversationId, spec.seedDirectory, filler),
  ]);
  signal.throwIfAborted();
  const labels = {
    ...names.labels(spec.conversationId),
    [LABEL.sandbox]: newId("x", Date.now()),
    [LABEL.choice]: choiceLabel(spec.choice),
  };
  const limits = { ...parts.limits, cpus: Math.min(parts.limits.cpus, cpus) };
  const workspace = names.workspace(spec.conversationId);
  const volumes = { workspace, whole: names.whole(workspace), state: names.state(spec.conversationId), programs };
  const wish = { imageId: image.id, choice: spec.choice, limits, labels, volumes };
  const id = await client.createContainer(names.container(spec.conversationId), sandboxContainer(wish));
  let complaints = "";
  try {
    const stream = await client.attach(id, (bytes) => (complaints = (complaints + bytes.toString()).slice(-4000)));
    await client.startContainer(id);
    const state = { id, running: true, exitCode: 0, outOfMemory: false, labels };
    return { ...state, image: image.reference, stream, complaints: () => complaints };
  } catch (thrown) {
    await client.removeContainer(id);
    throw thrown;
  }
}
