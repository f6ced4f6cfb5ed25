import { mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "@handrail/protocol/ids";
import { describe, expect, onTestFinished, test } from "vitest";
import { conversationPlace } from "../local/conversation-place.ts";
import { diskReleased, MOUNT_OPTIONS } from "../disk/workspace-disk.ts";
import { runProgram } from "../run-program.ts";
import { daemonAnswers, DOCKER_HOST } from "../testing/docker-daemon.ts";
import { forgetInstallation } from "../testing/forget-installation.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { dockerBackend } from "./docker-backend.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";
import { madeNames } from "../labels/made-names.ts";

const DISK_BYTES = 64 * 1024 ** 2;
const works = (await daemonAnswers()) && process.getuid?.() === 0;

async function setUp() {
  const installation = `t${newId("x", Date.now()).slice(-8)}`;
  const directory = await mkdtemp(join(tmpdir(), "handrail-docker-"));
  const common = { host: DOCKER_HOST, installation, sandboxdDirectory: builtPrograms(), egress: () => undefined };
  const open = (more: object) => dockerBackend({ ...common, limits: { diskBytes: DISK_BYTES }, ...more });
  const backend = open({ directory });
  const client = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
  onTestFinished(async () => {
    await backend.collect(new Set());
    await backend.close();
    await forgetInstallation(client, installation);
    client.close();
    await rm(directory, { recursive: true, force: true });
  });
  const conversationId = newId("c", Date.now());
  const choice = { backend: "docker", network: { type: "none" } } as const;
  const start = async (by = backend) => {
    const spec = { conversationId, choice, seedDirectory: undefined };
    const sandbox = await by.start(spec, () => undefined, AbortSignal.timeout(60_000));
    return async (script: string) => {
      const args = { argv: ["sh", "-c", script], timeoutMs: 60_000, capBytes: 1000 };
      const { stdout, stderr } = await sandbox.call("process.run", args, { signal: AbortSignal.timeout(60_000) });
      return stdout + stderr;
    };
  };
  const kill = () => client.killContainer(madeNames(installation).container(conversationId));
  return { backend, open, directory, conversationId, start, kill, place: conversationPlace(directory, conversationId) };
}

const isMounted = async (path: string) => (await readFile("/proc/self/mounts", "utf8")).includes(` ${path} `);

describe.skipIf(!works)("workspaces on disks of their own", () => {
  test("health says so", async () => {
    const { backend } = await setUp();
    const { detail } = await backend.health(AbortSignal.timeout(60_000));
    expect(detail).toMatch(/, workspaces bounded$/);
  });

  test("workspace and home share the space, and the host gives no more than that", async () => {
    const { start, place } = await setUp();
    const run = await start();
    expect(await run("head -c 40M /dev/zero > /workspace/a; head -c 40M /dev/zero > ~/b")).toMatch(/No space left/);
    expect((await stat(place.image)).blocks * 512).toBeLessThanOrEqual(DISK_BYTES);
    expect(await isMounted(place.disk)).toBe(false);
  });

  test("a container that is killed takes its loop device along, and the next one has the files", async () => {
    const { start, kill, place } = await setUp();
    const run = await start();
    await run("echo kept > file; echo kept > ~/file; sync");
    await kill();
    await diskReleased(place);
    const again = await start();
    expect(await again("cat file ~/file; ls -A")).toBe("kept\nkept\nfile\n");
  });

  test("what a server left that was killed while it started a sandbox is tidied, and the sandbox starts", async () => {
    const { backend, directory, start, place, conversationId } = await setUp();
    const run = await start();
    await run("echo kept > file");
    await backend.stop(conversationId);
    // The second is an earlier version's.
    const probes = ["probe-left/disk", "probe-old/mounted"].map((name) => join(directory, name));
    for (const probe of probes) await mkdir(probe, { recursive: true });
    for (const target of [place.disk, ...probes])
      await runProgram("mount", ["-t", "ext4", "-o", MOUNT_OPTIONS, place.image, target]);
    await backend.collect(new Set([conversationId]));
    expect(await readdir(directory)).toEqual([conversationId]);
    expect(await isMounted(place.disk)).toBe(false);
    await runProgram("mount", ["-t", "ext4", "-o", MOUNT_OPTIONS, place.image, place.disk]);
    expect(await (await start())("cat file")).toBe("kept\n");
  });

  test("nothing is left of a conversation that is removed, or no longer known after a crash", async () => {
    const { backend, start, place, directory, conversationId } = await setUp();
    await start();
    await backend.remove(conversationId);
    expect(await readdir(directory)).toEqual([]);
    await start();
    await backend.stop(conversationId);
    await runProgram("mount", ["-t", "ext4", "-o", MOUNT_OPTIONS, place.image, place.disk]);
    await backend.collect(new Set());
    expect(await readdir(directory)).toEqual([]);
    await diskReleased(place);
  });

  test("a workspace that is in a volume stays there", async () => {
    const { open, start, place, conversationId } = await setUp();
    const before = open({ diskHelper: false });
    await (
      await start(before)
    )("echo kept > file");
    await before.stop(conversationId);
    await before.close();
    expect(await (await start())("cat file")).toBe("kept\n");
    await expect(stat(place.image)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
