import { dockerClient } from "../docker/docker-client.ts";
import { dockerEndpoint } from "../docker/docker-endpoint.ts";
import { config } from "./config.ts";

/** The daemon that tests use, as `DOCKER_HOST` names it. */
export const DOCKER_HOST = config.dockerHost;

/** Whether that daemon answers. Says so on standard output when it does not. */
export async function daemonAnswers(): Promise<boolean> {
  const client = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
  try {
    await client.info(AbortSignal.timeout(30_000));
    return true;
  } catch {
    process.stdout.write("Docker sandboxes are not tested: no daemon answers.\n");
    return false;
  } finally {
    client.close();
  }
}
