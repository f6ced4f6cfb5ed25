import { sandboxReachContract, sandboxShutContract } from "@handrail/core/testing/sandbox-backend-contract";
import { sandboxGarbageContract } from "@handrail/core/testing/sandbox-garbage-contract";
import { sandboxLossContract } from "@handrail/core/testing/sandbox-loss-contract";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { canBuildRoot } from "../image/build-root.ts";
import { daemonUnderTest } from "../testing/docker-bench.ts";
import type { DindSidecar } from "../testing/dind-sidecar.ts";
import { sharesPaths, startSidecar } from "../testing/dind-sidecar.ts";
import { daemonAnswers } from "../testing/docker-daemon.ts";
import { killedInDaemon } from "../testing/killed-in-daemon.ts";
import { leftInDaemon } from "../testing/leftovers.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { dockerBackend } from "./docker-backend.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";

const LIMITS = { memoryBytes: 512 * 1024 ** 2, processes: 200, diskBytes: 64 * 1024 ** 2 };
const WAIT_MS = 60_000;
const works = (await daemonAnswers()) && sharesPaths() && (await canBuildRoot());

describe.skipIf(!works)("a Docker daemon in a container beside the server", () => {
  let sidecar: DindSidecar | undefined;
  beforeAll(async () => {
    sidecar = await startSidecar();
  }, 300_000);
  afterAll(async () => sidecar?.dispose());
  const running = () => {
    if (sidecar === undefined) throw new Error("The sidecar was not started.");
    return sidecar;
  };
  const open = (installation: string, waitMs = WAIT_MS) => {
    const common = { sandboxdDirectory: builtPrograms(), egress: () => undefined, limits: LIMITS };
    return dockerBackend({ ...common, installation, ...running(), waitMs });
  };

  const underTest = async () => {
    const client = dockerClient(dockerEndpoint({ host: running().host }));
    return daemonUnderTest({
      client,
      open: async (installation) => open(installation),
      hostPath: import.meta.dirname,
      limits: LIMITS,
      dispose: async () => client.close(),
    });
  };
  sandboxReachContract("docker", underTest);
  sandboxShutContract("docker", underTest);
  sandboxLossContract("docker in a container", async () => {
    const client = dockerClient(dockerEndpoint({ host: running().host }));
    const under = await underTest();
    return {
      ...under,
      open: async (installation) => open(installation, 0),
      killDaemon: () => running().kill(),
      startDaemon: () => running().start(),
      outlives: "nothing",
      waiting: { open: under.open, says: /^Waiting for the Docker daemon at unix:/ },
      leftovers: (installation) => leftInDaemon(client, installation),
      dispose: async () => {
        client.close();
        await under.dispose();
      },
    };
  });

  sandboxGarbageContract("docker in a container", async () => {
    const { host, defaultImage } = running();
    return killedInDaemon({ kind: "helper", host, defaultImage, rounds: 1, latestMs: 1000 });
  });

  test("what it is, is said", async () => {
    const backend = open("doctor");
    onTestFinished(() => backend.close());
    // Within some seconds a busy daemon has not shown yet that workspaces are bounded.
    const detail = async () => (await backend.health(AbortSignal.timeout(WAIT_MS))).detail;
    await expect
      .poll(detail)
      .toMatch(/^Docker \d+\.\d+\.\S+, overlay2, cgroup v[12], rootful, no user namespaces, workspaces bounded$/);
  });
});
