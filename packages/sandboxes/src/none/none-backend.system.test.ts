import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sandboxBackendContract } from "@handrail/core/testing/sandbox-backend-contract";
import { newId } from "@handrail/protocol/ids";
import { sandboxGarbageContract } from "@handrail/core/testing/sandbox-garbage-contract";
import { expect, onTestFinished, test } from "vitest";
import { conversationPlace, readRecord } from "../local/conversation-place.ts";
import { lookForMarked } from "../local/find-processes.ts";
import { killProcess } from "../local/kill-all.ts";
import { killedServers } from "../testing/killed-servers.ts";
import { localUnderTest } from "../testing/local-bench.ts";
import { strangeProgram } from "../testing/strangers.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { textOf } from "../testing/text-of.ts";
import { noneBackend } from "./none-backend.ts";

sandboxBackendContract("none", false, () => localUnderTest("none"));

test("a sandbox whose sandboxd was killed is gone, and what outlived it ends before the next one starts", async () => {
  const directory = await mkdtemp(join(tmpdir(), "handrail-none-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const options = { directory, sandboxdDirectory: builtPrograms(), egress: () => undefined };
  const conversationId = newId("c", Date.now());
  const signal = AbortSignal.timeout(60_000);
  const start = (backend: ReturnType<typeof noneBackend>) =>
    backend.start(
      { conversationId, choice: { backend: "none", network: { type: "none" } }, seedDirectory: undefined },
      () => undefined,
      signal,
    );
  const earlier = noneBackend(options);
  const sandbox = await start(earlier);
  const argv = ["sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & echo $!"];
  const { stdout } = await sandbox.call("process.run", { argv, timeoutMs: 20_000, capBytes: 100 }, { signal });
  const { token = "none" } = (await readRecord(conversationPlace(directory, conversationId))) ?? {};
  const survivors = () => lookForMarked(sandbox.sandboxId).pids;
  lookForMarked(sandbox.sandboxId, token).pids.forEach(killProcess);
  await expect.poll(survivors).toEqual([Number(stdout)]);
  expect(await sandbox.gone).toMatch(/\.$/);
  await earlier.close();
  const later = noneBackend(options);
  onTestFinished(() => later.close());
  expect(await later.find(conversationId, signal)).toBeUndefined();
  expect((await start(later)).sandboxId).not.toBe(sandbox.sandboxId);
  expect(survivors()).toEqual([]);
  await later.remove(conversationId);
});

sandboxGarbageContract("none", () =>
  killedServers({
    kind: "none",
    rounds: 2,
    latestMs: 600,
    halfMade: async () => [],
    others: async (_installation, directory) => ({ programs: programsIn(directory) }),
    strangers: (_installation, conversationId) => strangeProgram("/nonexistent", conversationId),
  }),
);

/** Programs whose arguments name something in a directory. */
function programsIn(directory: string): readonly string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => pid !== String(process.pid) && textOf(`/proc/${pid}/cmdline`).includes(directory));
}
