import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sandboxGarbageContract, type Strangers } from "@handrail/core/testing/sandbox-garbage-contract";
import { newId } from "@handrail/protocol/ids";
import { expect, onTestFinished, test } from "vitest";
import { killedServers } from "../testing/killed-servers.ts";
import { strangeProgram, together } from "../testing/strangers.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { textOf } from "../testing/text-of.ts";
import { findCgroups, removeGroups } from "../local/cgroups.ts";
import { findBoxes } from "../local/find-processes.ts";
import { killProcess } from "../local/kill-all.ts";
import { processBackend } from "./process-backend.ts";
import { runsAsRoot } from "../testing/runs-as-root.ts";

const asRoot = runsAsRoot("What is left of control groups");

/** Control groups of an installation on this machine, or of its sandboxes. */
const groupsOf = (installation: string) => globSync(`/sys/fs/cgroup/{,*/}handrail-${installation}`);

/** Whether processes are in a control group. */
const isUsed = (group: string) => textOf(join(group, "cgroup.procs")) !== "";

/** Programs of sandboxes that are below a directory. */
const boxesIn = (directory: string) =>
  findBoxes().filter(({ pid }) => textOf(`/proc/${pid}/cmdline`).includes(directory));

test.skipIf(!asRoot)("groups of a server that was killed before it had a sandbox go with the next one", async () => {
  const directory = await mkdtemp(join(tmpdir(), "handrail-garbage-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const installation = `t${newId("x", Date.now()).slice(-8)}`;
  await findCgroups(installation);
  expect(groupsOf(installation)).not.toEqual([]);
  const next = processBackend({ directory, installation, sandboxdDirectory: builtPrograms(), egress: () => undefined });
  await next.collect(new Set());
  await next.close();
  expect(groupsOf(installation)).toEqual([]);
});

/** A sandbox of a new installation. */
async function startedAlone() {
  const directory = await mkdtemp(join(tmpdir(), "handrail-garbage-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const installation = `t${newId("x", Date.now()).slice(-8)}`;
  const options = { directory, installation, sandboxdDirectory: builtPrograms(), egress: () => undefined };
  const backend = processBackend(options);
  const conversationId = newId("c", Date.now());
  const choice = { backend: "process", network: { type: "none" } } as const;
  const spec = { conversationId, choice, seedDirectory: undefined };
  const { sandboxId } = await backend.start(spec, () => undefined, AbortSignal.timeout(60_000));
  const boxes = () => findBoxes().filter((box) => box.sandboxId === sandboxId);
  return { installation, backend, conversationId, sandboxId, boxes };
}

test.skipIf(!asRoot)("groups of a sandbox that has ended by itself go with its server", async () => {
  const { installation, backend, boxes } = await startedAlone();
  for (const { pid } of boxes()) killProcess(pid);
  await expect.poll(() => groupsOf(`${installation}/x_*`).filter(isUsed)).toEqual([]);
  expect(groupsOf(`${installation}/x_*`)).not.toEqual([]);
  await backend.close();
  expect(groupsOf(installation)).toEqual([]);
});

test("a program of a stranger with a sandbox's arguments is not ended with it", async () => {
  const { backend, conversationId, sandboxId, boxes } = await startedAlone();
  const sleep = ["-c", "echo up; sleep 60; true", "handrail-sandbox", "--sandbox", sandboxId];
  const stranger = spawn("sh", sleep, { stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void stranger.kill("SIGKILL"));
  await once(stranger.stdout, "data");
  expect(boxes().length).toBeGreaterThan(1);
  await backend.remove(conversationId);
  await backend.close();
  expect(boxes()).toEqual([{ pid: stranger.pid, sandboxId }]);
});

sandboxGarbageContract("process", () =>
  killedServers({
    kind: "process",
    rounds: 6,
    latestMs: 900,
    halfMade: async (installation) => groupsOf(`${installation}/x_*`).filter((group) => !isUsed(group)),
    others: async (installation, directory) => ({ groups: groupsOf(installation), boxes: boxesIn(directory) }),
    strangers: async (installation, conversationId) =>
      together([await strangeProgram("/nonexistent", conversationId), await groupsOfAnother(`${installation}b`)]),
  }),
);

/** Control groups of another installation. */
async function groupsOfAnother(installation: string): Promise<Strangers> {
  await findCgroups(installation);
  return { look: async () => groupsOf(installation), remove: () => removeGroups(installation) };
}
