import { describe, expect, onTestFinished, test } from "vitest";
import { canBuildRoot } from "../image/build-root.ts";
import { daemonContract, daemonSuite } from "../testing/daemon-suite.ts";
import { rootSidecar, sharesPaths, startSidecar } from "../testing/dind-sidecar.ts";
import { daemonAnswers } from "../testing/docker-daemon.ts";

const WAIT_MS = 60_000;
const works = (await daemonAnswers()) && sharesPaths() && (await canBuildRoot());

describe.skipIf(!works)("a Docker daemon in a container beside the server", () => {
  const suite = daemonSuite(() => startSidecar(rootSidecar()));

  daemonContract("docker in a container", suite, { outlives: "nothing" });

  test("nobody has to take leave of what its containers leave", async () => {
    await expect.poll(() => suite.daemon().dead()).toEqual([]);
  });

  test("what it is, is said", async () => {
    const backend = suite.open("doctor");
    onTestFinished(() => backend.close());
    // Within some seconds a busy daemon has not shown yet that workspaces are bounded.
    const detail = async () => (await backend.health(AbortSignal.timeout(WAIT_MS))).detail;
    await expect
      .poll(detail)
      .toMatch(/^Docker \d+\.\d+\.\S+, overlay2, cgroup v[12], rootful, no user namespaces, workspaces bounded$/);
  });
});
