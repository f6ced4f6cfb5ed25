import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "@handrail/protocol/ids";
import { expect, onTestFinished, test } from "vitest";
import { canRunContainerd } from "./testing/containerd-daemon.ts";
import { runtimeUnderTest } from "./testing/containerd-root.ts";
import { type ChurnWish, openChurned } from "./testing/killed-servers.ts";
import { runsAsRoot } from "./testing/runs-as-root.ts";

const WAIT_MS = 60_000;
const asRoot = runsAsRoot("The first sandboxes of several servers");
const withContainerd = await canRunContainerd();

/** What sandboxes of servers say that all begin with nothing there. */
async function firstWords(wish: Pick<ChurnWish, "kind" | "address">): Promise<readonly (string | undefined)[]> {
  const directory = await mkdtemp(join(tmpdir(), "handrail-new-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const installation = `t${newId("x", Date.now()).slice(-8)}`;
  const servers = Array.from({ length: 3 }, () => openChurned({ ...wish, directory, installation }));
  onTestFinished(async () => {
    await servers[0]?.collect(new Set());
    await Promise.all(servers.map((server) => server.close()));
  });
  return Promise.all(
    servers.map(async (server) => {
      const choice = { backend: server.name, network: { type: "none" } } as const;
      const spec = { conversationId: newId("c", Date.now()), choice, seedDirectory: undefined };
      const sandbox = await server.start(spec, () => undefined, AbortSignal.timeout(WAIT_MS));
      const args = { argv: ["grep", "-c", "/workspace ext4", "/proc/mounts"], timeoutMs: WAIT_MS, capBytes: 100 };
      return (await sandbox.call("process.run", args, { signal: AbortSignal.timeout(WAIT_MS) })).stdout;
    }),
  );
}

const ALL_BOUNDED = ["1\n", "1\n", "1\n"];

test.skipIf(!asRoot)("servers that start the first process sandboxes at the same time all succeed", async () => {
  expect(await firstWords({ kind: "process" })).toEqual(ALL_BOUNDED);
});

test.skipIf(!withContainerd)("servers that start the first pods at the same time all succeed", async () => {
  const daemon = await runtimeUnderTest();
  onTestFinished(() => daemon.dispose());
  expect(await firstWords({ kind: "containerd", address: daemon.address })).toEqual(ALL_BOUNDED);
});
