import { dockerClient } from "../docker/docker-client.ts";
import { dockerEndpoint } from "../docker/docker-endpoint.ts";
import { DOCKER_HOST } from "./docker-daemon.ts";
import { forgetInstallation } from "./forget-installation.ts";
import { type KilledServers, killedServers } from "./killed-servers.ts";
import { allInDaemon, leftInDaemon, type Mounts, networksOf } from "./leftovers.ts";
import { strangersInDaemon } from "./strangers.ts";

type Killed = Pick<KilledServers, "kind" | "host" | "defaultImage" | "rounds" | "latestMs"> & {
  /** What is mounted where a daemon is that no other suite uses. Undefined: others use it, on this machine. */
  readonly mounts?: Mounts;
};

/** Servers of one Docker daemon, or of what speaks its protocol, that are killed at any moment. */
export async function killedInDaemon({ mounts, ...killed }: Killed) {
  const client = dockerClient(dockerEndpoint({ host: killed.host ?? DOCKER_HOST }));
  const installations = new Set<string>();
  return killedServers({
    ...killed,
    others: async (installation) => {
      installations.add(installation);
      return leftInDaemon(client, installation, mounts);
    },
    surroundings: () => (mounts === undefined ? networksOf(client) : allInDaemon(client, mounts)),
    halfMade: async (installation) =>
      (await leftInDaemon(client, installation)).containers.filter(({ state }) => state !== "running"),
    strangers: (installation, conversationId) => strangersInDaemon(client, installation, conversationId),
    dispose: async () => {
      for (const installation of installations) await forgetInstallation(client, installation);
      client.close();
    },
  });
}
