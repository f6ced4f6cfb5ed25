import { join } from "node:path";
import type { DockerClient } from "./docker-client.ts";
import { DockerError, isMissing } from "./docker-error.ts";
import { HOSTS_IN_PROGRAMS } from "../labels/made-names.ts";
import type { DaemonInfo } from "./docker-shapes.ts";
import type { ProgramsVolume } from "./programs-volume.ts";

/** An image that no daemon has. */
export const NO_IMAGE = "handrail-probe/no-such-image:1";

/**
 * Where the daemon's machine has the file that becomes /etc/hosts, in the volume of programs; undefined where the daemon
 * does not mount files out of volumes. Asked once for each volume.
 */
export type HostsFile = (programs: ProgramsVolume) => Promise<string | undefined>;

export function hostsFileOf(client: DockerClient, facts: () => Promise<DaemonInfo>): HostsFile {
  const known = new Map<string, Promise<string | undefined>>();
  const ask = async (directory: string): Promise<string | undefined> => {
    const path = join(directory, HOSTS_IN_PROGRAMS);
    if (directory === "" || (await facts()).product !== "Docker") return undefined;
    return (await daemonSees(client, path)) ? path : undefined;
  };
  return ({ directory }) => {
    const answer = known.get(directory) ?? ask(directory);
    known.set(directory, answer);
    answer.catch(() => known.delete(directory));
    return answer;
  };
}

/**
 * Whether the daemon can mount this path of its machine. It is asked for a container of an image that it does not have:
 * a path that is not there is what it complains of first.
 */
export async function daemonSees(client: DockerClient, path: string): Promise<boolean> {
  const mount = { Type: "bind", Source: path, Target: "/seen", ReadOnly: true };
  try {
    await client.createContainer("handrail-probe", {
      Image: NO_IMAGE,
      Entrypoint: [],
      Cmd: [],
      Labels: {},
      HostConfig: { Mounts: [mount] },
    });
    return false;
  } catch (thrown) {
    if (thrown instanceof DockerError) return isMissing(thrown);
    throw thrown;
  }
}
