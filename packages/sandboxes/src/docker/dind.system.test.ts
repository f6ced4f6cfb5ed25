import { sandboxBackendContract } from "@handrail/core/testing/sandbox-backend-contract";
import { sandboxGarbageContract } from "@handrail/core/testing/sandbox-garbage-contract";
import { sandboxIsolationContract } from "@handrail/core/testing/sandbox-isolation-contract";
import { sandboxLossContract } from "@handrail/core/testing/sandbox-loss-contract";
import { describe, expect, onTestFinished, test } from "vitest";
import { BUILT_IMAGE } from "./docker-image.ts";
import { canBuildRoot } from "../image/build-root.ts";
import { rootSidecar, sharesPaths } from "../testing/dind-sidecar.ts";
import { dindSuite } from "../testing/dind-suite.ts";
import { daemonAnswers } from "../testing/docker-daemon.ts";
import { killedInDaemon } from "../testing/killed-in-daemon.ts";
import { leftInDaemon } from "../testing/leftovers.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";

const WAIT_MS = 60_000;
const works = (await daemonAnswers()) && sharesPaths() && (await canBuildRoot());

describe.skipIf(!works)("a Docker daemon in a container beside the server", () => {
  const { sidecar, open, underTest } = dindSuite(rootSidecar());

  sandboxBackendContract("docker", true, underTest);
  sandboxIsolationContract("docker", ["strict", "default", "dev"], underTest);
  sandboxLossContract("docker in a container", async () => {
    const client = dockerClient(dockerEndpoint({ host: sidecar().host }));
    const under = await underTest();
    return {
      ...under,
      open: async (installation) => open(installation, 0),
      killDaemon: () => sidecar().kill(),
      startDaemon: () => sidecar().start(),
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
    const { host } = sidecar();
    return killedInDaemon({ kind: "helper", host, defaultImage: BUILT_IMAGE, rounds: 1, latestMs: 1000 });
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
