import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "@handrail/protocol/ids";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canBuildRoot } from "../image/build-root.ts";
import { conversationPlace } from "../local/conversation-place.ts";
import { diskReleased } from "../disk/workspace-disk.ts";
import { runProgram } from "../run-program.ts";
import type { SuiteDaemon } from "../testing/daemon-suite.ts";
import { rootSidecar, sharesPaths, startSidecar } from "../testing/dind-sidecar.ts";
import { daemonAnswers } from "../testing/docker-daemon.ts";
import { importSmallImage } from "../testing/small-image.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { dockerBackend } from "./docker-backend.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";

const IMAGE = "handrail-test/small:4";
const DISK_BYTES = 64 * 1024 ** 2;
const WAIT_MS = 60_000;
const works = (await daemonAnswers()) && sharesPaths() && (await canBuildRoot());

const done = async (program: string, ...args: string[]) => {
  const { code, stderr } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${program}: ${stderr}`);
};

describe.skipIf(!works)("a Docker daemon in a container that sees the server's directory of workspaces", () => {
  let directory: string;
  let sidecar: SuiteDaemon | undefined;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "handrail-dind-disks-"));
    // As `/` is where systemd runs: what is mounted below is seen by those who have the directory.
    await done("mount", "--bind", directory, directory);
    await done("mount", "--make-shared", directory);
    sidecar = await startSidecar(rootSidecar(directory));
    const client = dockerClient(dockerEndpoint(sidecar));
    if ((await client.findImage(IMAGE)) === undefined) await importSmallImage(client, IMAGE);
    client.close();
  }, 300_000);
  afterAll(async () => {
    await sidecar?.dispose();
    await done("umount", "--recursive", directory);
    await rm(directory, { recursive: true, force: true });
  });

  test("bounds workspaces, keeps them over its own death, and leaves no mount behind", async () => {
    if (sidecar === undefined) throw new Error("The sidecar was not started.");
    const { host } = sidecar;
    const common = { installation: `t${newId("x", Date.now()).slice(-8)}`, sandboxdDirectory: builtPrograms() };
    const limits = { diskBytes: DISK_BYTES };
    const backend = dockerBackend({
      ...common,
      host,
      defaultImage: IMAGE,
      directory,
      limits,
      egress: () => undefined,
      waitMs: WAIT_MS,
    });
    const conversationId = newId("c", Date.now());
    const place = conversationPlace(directory, conversationId);
    const run = async (script: string) => {
      const choice = { backend: "docker", network: { type: "none" } } as const;
      const spec = { conversationId, choice, seedDirectory: undefined };
      const sandbox = await backend.start(spec, () => undefined, AbortSignal.timeout(WAIT_MS));
      const args = { argv: ["sh", "-c", script], timeoutMs: WAIT_MS, capBytes: 1000 };
      const { stdout, stderr } = await sandbox.call("process.run", args, { signal: AbortSignal.timeout(WAIT_MS) });
      return stdout + stderr;
    };
    try {
      expect((await backend.health(AbortSignal.timeout(WAIT_MS))).detail).toMatch(/, workspaces bounded$/);
      expect(await run("echo kept > kept; sync; head -c 100M /dev/zero > large")).toMatch(/No space left/);
      expect((await stat(place.image)).blocks * 512).toBeLessThanOrEqual(DISK_BYTES);
      await sidecar.kill();
      await sidecar.start();
      expect(await run("cat kept")).toBe("kept\n");
    } finally {
      await backend.collect(new Set());
      await backend.close();
    }
    await diskReleased(place);
    expect(await readFile("/proc/self/mounts", "utf8")).not.toContain(` ${place.disk} `);
  });
});
