import { explainExit } from "../explain-exit.ts";
import type { DockerClient } from "./docker-client.ts";
import type { Started } from "./start-container.ts";

/**
 * Why a container that was started cannot be spoken to, from what it left behind; `thrown` when it left nothing that
 * says more.
 */
export async function startFailure(client: DockerClient, container: Started, thrown: unknown): Promise<unknown> {
  const state = await client.findContainer(container.id).catch(() => undefined);
  if (state === undefined || state.running) return thrown;
  return explainExit(container.image, state.exitCode, container.complaints()) ?? thrown;
}
