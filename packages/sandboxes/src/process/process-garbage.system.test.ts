import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { newId } from "@handrail/protocol/ids";
import { expect, onTestFinished, test } from "vitest";
import { builtPrograms } from "../testing/test-programs.ts";
import { findCgroups } from "./cgroups.ts";
import { findBoxes } from "./find-processes.ts";
import { processBackend } from "./process-backend.ts";

const ROUNDS = 6;
const LATEST_MS = 900;

/** What there is of an installation on this machine. */
async function remains(directory: string, installation: string) {
  const names = await readdir(directory).catch(() => []);
  const backing = globSync("/sys/block/loop*/loop/backing_file").map((file) => readFileSync(file, "utf8"));
  return {
    conversations: names.filter((name) => name.startsWith("c_")),
    disks: backing.filter((file) => file.includes(directory)),
    groups: globSync(`/sys/fs/cgroup/{,*/}handrail-${installation}`),
    boxes: findBoxes().filter(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(directory)),
  };
}

const asRoot = process.getuid?.() === 0;

test.skipIf(!asRoot)("groups of a server that was killed before it had a sandbox go with the next one", async () => {
  const directory = await mkdtemp(join(tmpdir(), "handrail-garbage-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const installation = `t${newId("x", Date.now()).slice(-8)}`;
  await findCgroups(installation);
  expect((await remains(directory, installation)).groups).not.toEqual([]);
  const next = processBackend({ directory, installation, sandboxdDirectory: builtPrograms(), egress: () => undefined });
  await next.collect(new Set());
  await next.close();
  expect((await remains(directory, installation)).groups).toEqual([]);
});

test.skipIf(!asRoot)(
  "whenever a server is killed, nothing is left of its sandboxes after the next one has tidied up",
  { timeout: 120_000 },
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "handrail-garbage-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const installation = `t${newId("x", Date.now()).slice(-8)}`;
    const program = join(import.meta.dirname, "../testing/churn-sandboxes.ts");
    const sandboxdDirectory = builtPrograms();
    for (let round = 0; round < ROUNDS; round++) {
      const server = spawn(process.execPath, [program, directory, installation], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(server.stdout, "data");
      await delay(Math.random() * LATEST_MS);
      server.kill("SIGKILL");
      await once(server, "exit");
      const next = processBackend({ directory, installation, sandboxdDirectory, egress: () => undefined });
      await next.collect(new Set());
      await next.close();
      expect(await remains(directory, installation)).toEqual({ conversations: [], disks: [], groups: [], boxes: [] });
    }
  },
);
