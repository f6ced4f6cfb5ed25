import { sandboxReachContract, sandboxShutContract } from "@handrail/core/testing/sandbox-backend-contract";
import { newId } from "@handrail/protocol/ids";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { canBuildRoot } from "../image/build-root.ts";
import { daemonUnderTest } from "../testing/docker-bench.ts";
import type { DindSidecar } from "../testing/dind-sidecar.ts";
import { sharesPaths, startSidecar } from "../testing/dind-sidecar.ts";
import { daemonAnswers } from "../testing/docker-daemon.ts";
import { filesOfLoops } from "../testing/killed-servers.ts";
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
  const open = (installation: string) => {
    const common = { sandboxdDirectory: builtPrograms(), egress: () => undefined, limits: LIMITS };
    return dockerBackend({ ...common, installation, ...running(), waitMs: WAIT_MS });
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

  test("what it is, is said", async () => {
    const backend = open("doctor");
    onTestFinished(() => backend.close());
    // Within some seconds a busy daemon has not shown yet that workspaces are bounded.
    const detail = async () => (await backend.health(AbortSignal.timeout(WAIT_MS))).detail;
    await expect
      .poll(detail)
      .toMatch(/^Docker \d+\.\d+\.\S+, overlay2, cgroup v[12], rootful, no user namespaces, workspaces bounded$/);
  });

  test("it is killed and started again: images and workspaces are there, as bounded, and sandboxes start on them", async () => {
    const backend = open(`t${newId("x", Date.now()).slice(-8)}`);
    onTestFinished(async () => {
      await backend.collect(new Set());
      await backend.close();
    });
    const conversationId = newId("c", Date.now());
    const choice = { backend: "docker", network: { type: "none" } } as const;
    const said: string[] = [];
    const start = () => {
      const spec = { conversationId, choice, seedDirectory: undefined };
      return backend.start(spec, (text) => said.push(text), AbortSignal.timeout(WAIT_MS));
    };
    const options = { signal: AbortSignal.timeout(WAIT_MS) };
    const shell = (script: string) => ({ argv: ["sh", "-c", script], timeoutMs: WAIT_MS, capBytes: 1000 });

    const before = await start();
    const full = "echo kept > file; sync; head -c 100M /dev/zero > large; rm large";
    expect((await before.call("process.run", shell(full), options)).stderr).toMatch(/No space left/);
    const cutOff = before.call("process.run", shell("sleep 60"), options).catch((error: Error) => error);
    said.length = 0;
    await running().kill();
    const starting = start();
    await running().start();
    const after = await starting;

    expect(said).toEqual([expect.stringMatching(/^Waiting for the Docker daemon at unix:/), "Starting the sandbox."]);
    expect(await cutOff).toMatchObject({ code: "sandbox_gone" });
    expect(after.bootId).not.toBe(before.bootId);
    expect(await after.call("process.run", shell("cat file"), options)).toMatchObject({ stdout: "kept\n" });
    await backend.remove(conversationId);
    expect(filesOfLoops().filter((file) => file.includes(conversationId))).toEqual([]);
  });
});
