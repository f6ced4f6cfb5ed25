import { criClient } from "@handrail/sandboxes/containerd/cri-client";
import { dockerClient } from "@handrail/sandboxes/docker/docker-client";
import { dockerEndpoint } from "@handrail/sandboxes/docker/docker-endpoint";
import { DOCKER_HOST } from "@handrail/sandboxes/testing/docker-daemon";
import { leftInDaemon, leftInDirectory, leftInRuntime } from "@handrail/sandboxes/testing/leftovers";

/** Where the sandboxes of a stage are kept. `address`: that of a runtime that speaks CRI. */
export type StageKeeping = {
  readonly installation: string;
  readonly directory: string;
  readonly address: string | undefined;
};

/**
 * What there is of a conversation: containers, volumes, pods, directories, mounts and open disks, as text. What a sandbox
 * wrote lies in one of them.
 */
export async function leftOf(conversationId: string, keeping: StageKeeping, isDocker: boolean): Promise<string[]> {
  const { directory, installation, address } = keeping;
  const kept = [
    leftInDirectory(directory),
    isDocker ? await leftInDocker(installation) : {},
    address === undefined ? {} : await leftInPods(installation, address),
  ];
  const things = kept.flatMap((kinds) => Object.values(kinds).flat());
  return things.map((thing) => JSON.stringify(thing)).filter((text) => text.includes(conversationId));
}

async function leftInDocker(installation: string) {
  const client = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
  return leftInDaemon(client, installation).finally(() => client.close());
}

async function leftInPods(installation: string, address: string) {
  const client = criClient(address);
  return leftInRuntime(client, installation).finally(() => client.close());
}
