import { sandboxGarbageContract } from "@handrail/core/testing/sandbox-garbage-contract";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe } from "vitest";
import { canRunContainerd } from "../testing/containerd-daemon.ts";
import { config } from "../testing/config.ts";
import { runtimeUnderTest } from "../testing/containerd-root.ts";
import { killedServers } from "../testing/killed-servers.ts";
import { allInRuntime, leftInRuntime } from "../testing/leftovers.ts";
import { strangersInRuntime } from "../testing/strangers.ts";
import { criClient } from "./cri-client.ts";
import { seccompProfiles } from "./seccomp-profiles.ts";

describe.skipIf(!(await canRunContainerd()))("containerd", () => {
  sandboxGarbageContract("containerd", async () => {
    const daemon = await runtimeUnderTest();
    const client = criClient(daemon.address);
    const seccomp = await mkdtemp(join(tmpdir(), "handrail-seccomp-"));
    const others = (installation: string) => leftInRuntime(client, installation);
    return killedServers({
      kind: "containerd",
      address: daemon.address,
      rounds: 3,
      latestMs: 2000,
      others,
      // Others may use one that was given.
      ...(config.containerdAddress === undefined && {
        surroundings: () => allInRuntime(client, dirname(daemon.address)),
      }),
      halfMade: async (installation) => {
        const { pods, containers } = await others(installation);
        const running = containers.filter(({ state }) => state === "CONTAINER_RUNNING");
        return pods.filter(({ id }) => !running.some(({ podSandboxId }) => podSandboxId === id));
      },
      strangers: async (installation, conversationId) =>
        strangersInRuntime(client, await seccompProfiles(seccomp).podFile(), { installation, conversationId }),
      dispose: async () => {
        client.close();
        await daemon.dispose();
        await rm(seccomp, { recursive: true, force: true });
      },
    });
  });
});
