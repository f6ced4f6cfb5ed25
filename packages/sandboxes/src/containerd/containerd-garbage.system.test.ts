import { describe, onTestFinished, test } from "vitest";
import { LABEL } from "../labels/made-names.ts";
import { canRunContainerd } from "../testing/containerd-daemon.ts";
import { runtimeUnderTest } from "../testing/containerd-root.ts";
import { expectNothingLeft } from "../testing/killed-servers.ts";
import { criClient } from "./cri-client.ts";

describe.skipIf(!(await canRunContainerd()))("containerd", () => {
  test(
    "whenever a server is killed, nothing is left of its sandboxes after the next one has tidied up",
    { timeout: 240_000 },
    async () => {
      const daemon = await runtimeUnderTest();
      const client = criClient(daemon.address);
      onTestFinished(async () => {
        client.close();
        await daemon.dispose();
      });
      const others = async (installation: string) => {
        const ours = { [LABEL.installation]: installation };
        return { pods: await client.listPods(ours), containers: await client.listContainers(ours) };
      };
      const halfMade = async (installation: string) => {
        const { pods, containers } = await others(installation);
        const running = containers.filter(({ state }) => state === "CONTAINER_RUNNING");
        return pods.filter(({ id }) => !running.some(({ podSandboxId }) => podSandboxId === id));
      };
      const wish = { kind: "containerd", address: daemon.address, rounds: 3, latestMs: 2000 } as const;
      await expectNothingLeft({ ...wish, others, halfMade });
    },
  );
});
