import { sandboxLossContract, sandboxReturnContract } from "@handrail/core/testing/sandbox-loss-contract";
import { afterAll, beforeAll, describe } from "vitest";
import { daemonUnderTest } from "../testing/docker-bench.ts";
import { leftInDaemon } from "../testing/leftovers.ts";
import type { OwnDaemon } from "../testing/own-daemon.ts";
import { canStartDaemon, startOwnDaemon } from "../testing/own-daemon.ts";
import { importSmallImage } from "../testing/small-image.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { dockerBackend } from "./docker-backend.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";

const IMAGE = "handrail-test/small:4";
const LIMITS = { memoryBytes: 512 * 1024 ** 2, processes: 200, diskBytes: 64 * 1024 ** 2 };
const WAIT_MS = 60_000;

describe.skipIf(!canStartDaemon())("a Docker daemon of the tests' own", () => {
  let daemon: OwnDaemon | undefined;
  beforeAll(async () => {
    daemon = await startOwnDaemon(["--live-restore"]);
    const client = dockerClient(dockerEndpoint({ host: daemon.host }));
    await importSmallImage(client, IMAGE);
    client.close();
  });
  afterAll(async () => daemon?.dispose());

  const underTest = async (arguments_: readonly string[]) => {
    const own = daemon;
    if (own === undefined) throw new Error("The daemon was not started.");
    const { host } = own;
    const client = dockerClient(dockerEndpoint({ host }));
    const open = async (installation: string, waitMs = 0) => {
      const common = { sandboxdDirectory: builtPrograms(), egress: () => undefined, limits: LIMITS };
      return dockerBackend({ ...common, host, defaultImage: IMAGE, installation, waitMs });
    };
    return {
      ...daemonUnderTest({
        client,
        open: (installation) => open(installation),
        hostPath: import.meta.dirname,
        limits: LIMITS,
        dispose: async () => client.close(),
      }),
      killDaemon: () => own.kill(),
      startDaemon: () => own.start(arguments_),
      waiting: {
        open: (installation: string) => open(installation, WAIT_MS),
        says: /^Waiting for the Docker daemon at unix:/,
      },
      leftovers: (installation: string) => leftInDaemon(client, installation),
    };
  };

  sandboxLossContract("docker with live-restore", async () => ({
    ...(await underTest(["--live-restore"])),
    outlives: "sandboxes",
  }));
  // Without it a daemon that starts ends what an earlier one left running.
  sandboxReturnContract("docker without it", async () => ({ ...(await underTest([])), outlives: "nothing" }));
});
