import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BackendUnderTest } from "@handrail/core/testing/sandbox-bench";
import { dockerBackend } from "../docker/docker-backend.ts";
import { type DockerClient, dockerClient } from "../docker/docker-client.ts";
import { dockerEndpoint } from "../docker/docker-endpoint.ts";
import { madeNames } from "../labels/made-names.ts";
import { DOCKER_HOST } from "./docker-daemon.ts";
import { forgetInstallation } from "./forget-installation.ts";
import { fillWorkspace } from "../fill-workspace.ts";
import { plantSecret } from "./config.ts";
import { seedDirectory } from "./seed-directory.ts";
import { builtPrograms } from "./test-programs.ts";
import { unpack } from "./unpack.ts";

const LIMITS = { memoryBytes: 512 * 1024 ** 2, processes: 200, diskBytes: 256 * 1024 ** 2 };

type Daemon = Pick<BackendUnderTest, "open" | "hostPath" | "limits" | "dispose"> & {
  /** To the daemon that the sandboxes are in. */
  readonly client: Pick<DockerClient, "killContainer">;
};

/** Sandboxes of a daemon of whatever kind. */
export function daemonUnderTest({ client, ...daemon }: Daemon): BackendUnderTest {
  plantSecret();
  return {
    ...daemon,
    killFromOutside: async (installation, conversationId) =>
      client.killContainer(madeNames(installation).container(conversationId)),
    seed: seedDirectory,
    fill: fillWorkspace,
    unpack,
    within: (timeoutMs) => AbortSignal.timeout(timeoutMs),
  };
}

/** Sandboxes of the daemon that tests use. */
export async function dockerUnderTest(): Promise<BackendUnderTest> {
  const home = await mkdtemp(join(tmpdir(), "handrail-docker-"));
  const client = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
  const common = { host: DOCKER_HOST, sandboxdDirectory: builtPrograms(), egress: () => undefined, limits: LIMITS };
  const opened = new Set<string>();
  return daemonUnderTest({
    client,
    open: async (installation: string) => {
      opened.add(installation);
      return dockerBackend({ ...common, installation, directory: join(home, installation) });
    },
    hostPath: home,
    limits: LIMITS,
    dispose: async () => {
      for (const installation of opened) await forgetInstallation(client, installation);
      client.close();
      await rm(home, { recursive: true, force: true });
    },
  });
}
