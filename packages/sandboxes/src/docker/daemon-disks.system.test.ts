import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { SandboxProfile } from "@handrail/protocol/sources";
import { newId } from "@handrail/protocol/ids";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { MOUNT_OPTIONS } from "../disk/workspace-disk.ts";
import { runProgram } from "../run-program.ts";
import { freePort } from "../testing/free-port.ts";
import { filesOfLoops } from "../testing/leftovers.ts";
import type { OwnDaemon } from "../testing/own-daemon.ts";
import { canStartDaemon, startOwnDaemon } from "../testing/own-daemon.ts";
import { seedDirectory } from "../testing/seed-directory.ts";
import { importSmallImage } from "../testing/small-image.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { dockerBackend } from "./docker-backend.ts";
import { type DockerClient, dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";
import { madeNames, LABEL } from "../labels/made-names.ts";

const DISK_BYTES = 64 * 1024 ** 2;
const LIMITS = { memoryBytes: 512 * 1024 ** 2, processes: 200, diskBytes: DISK_BYTES };
const INSTALLATION = `t${newId("x", Date.now()).slice(-8)}`;
const IMAGE = "handrail-test/small:4";
const WAIT_MS = 60_000;

describe.skipIf(!canStartDaemon())("a daemon over TCP, which could be anywhere", () => {
  let daemon: OwnDaemon;
  let client: DockerClient;
  let host: string;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "handrail-docker-"));
    host = `tcp://127.0.0.1:${await freePort()}`;
    daemon = await startOwnDaemon(["--host", host]);
    client = dockerClient(dockerEndpoint({ host }));
    await importSmallImage(client, IMAGE);
  });
  afterAll(async () => {
    client.close();
    await daemon.dispose();
    await rm(directory, { recursive: true, force: true });
  });

  const open = (installation: string, more: object = {}) => {
    const common = { sandboxdDirectory: builtPrograms(), egress: () => undefined, limits: LIMITS, waitMs: WAIT_MS };
    return dockerBackend({ ...common, installation, host, directory, defaultImage: IMAGE, ...more });
  };

  /** A new conversation. What is left of an installation is collected with any of its conversations. */
  function setUp(installation = INSTALLATION) {
    const names = madeNames(installation);
    const backend = open(installation);
    onTestFinished(async () => {
      await backend.collect(new Set());
      await backend.close();
    });
    const conversationId = newId("c", Date.now());
    const choice = { backend: "docker", network: { type: "none" } } as const;
    const start = async (by = backend, seed?: string, profile: SandboxProfile = "default") => {
      const spec = { conversationId, choice: { ...choice, profile }, seedDirectory: seed };
      const sandbox = await by.start(spec, () => undefined, AbortSignal.timeout(WAIT_MS));
      return async (script: string) => {
        const args = { argv: ["sh", "-c", script], timeoutMs: WAIT_MS, capBytes: 1000 };
        const { stdout, stderr } = await sandbox.call("process.run", args, { signal: AbortSignal.timeout(WAIT_MS) });
        return stdout + stderr;
      };
    };
    /** Names of what the conversation has in the daemon, and on its machine. */
    const there = async () => {
      const isOurs = (name: string) => name.includes(conversationId);
      return {
        container: (await client.findContainer(names.container(conversationId)))?.id,
        volumes: (await client.listVolumes([])).map(({ name }) => name).filter(isOurs),
        mounts: (await mountsOf(conversationId)).length,
        loops: filesOfLoops().filter((file) => file.includes(conversationId)).length,
      };
    };
    const holder = names.disk(conversationId);
    const place = async () => join((await client.findVolume(holder))?.directory ?? "", "..");
    const kill = () => client.killContainer(names.container(conversationId));
    const helpers = () => client.listContainers([`${LABEL.installation}=${installation}`, LABEL.helper]);
    return { installation, names, backend, conversationId, start, there, holder, place, kill, helpers };
  }

  const NOTHING = { container: undefined, volumes: [], mounts: 0, loops: 0 };

  test("the first sandboxes of an installation may start at the same time, and a server may stop meanwhile", async () => {
    const installation = `${INSTALLATION}f`;
    const { backend } = setUp(installation);
    const starts = await Promise.all(Array.from({ length: 4 }, () => setUp(installation).start(backend)));
    expect(await Promise.all(starts.map((run) => run("grep -c loop /proc/mounts")))).toEqual(
      Array.from({ length: 4 }, () => "2\n"),
    );
    const stopping = open(installation);
    const asked = stopping.health(AbortSignal.timeout(WAIT_MS)).catch((thrown: unknown) => thrown);
    await stopping.close();
    expect(await asked).toMatchObject({ name: "docker" });
  });

  test("health says that workspaces are bounded", async () => {
    const { backend } = setUp();
    await expect
      .poll(() => backend.health(AbortSignal.timeout(WAIT_MS)))
      .toMatchObject({ name: "docker", works: true, detail: expect.stringMatching(/, workspaces bounded$/) });
  });

  test("workspace and home share the space, the machine gives no more than that, and the sandbox sees no more of it", async () => {
    const { start, place, there } = setUp();
    const run = await start();
    expect(await run("head -c 40M /dev/zero > /workspace/a; head -c 40M /dev/zero > ~/b")).toMatch(/No space left/);
    expect((await stat(join(await place(), "disk.img"))).blocks * 512).toBeLessThanOrEqual(DISK_BYTES);
    expect(await run("ls -A /handrail-disk /handrail-whole")).toBe("/handrail-disk:\n\n/handrail-whole:\n");
    // The daemon mounts in any order.
    const mounts = (await run("cut -d ' ' -f 1,2,3 /proc/mounts | grep loop")).split("\n").toSorted().join(" ");
    expect(mounts).toMatch(/^ \/dev\/loop\d+ \/handrail-state ext4 \/dev\/loop\d+ \/workspace ext4$/);
    expect(await there()).toMatchObject({ mounts: 0, loops: 1 });
  });

  test.each(["default", "dev"] as const)(
    "from a sandbox with the profile %s neither the disk's file, nor its device, nor the helper can be reached",
    async (profile) => {
      const { start, place, helpers } = setUp();
      const run = await start(undefined, undefined, profile);
      expect((await helpers()).length).toBe(1);
      const script = `exec 2>/dev/null
        for at in /handrail-disk /handrail-whole /handrail; do
          touch $at/x && echo "wrote to $at"
          mount -o remount,rw $at && echo "changed $at"
        done
        ls /dev | grep loop
        mount $(grep -m 1 -o '^/dev/loop[0-9]*' /proc/mounts) /tmp && echo mounted
        grep -l 'sandboxd.[d]isks' /proc/[0-9]*/cmdline
        cat /handrail-disk/../disk.img /proc/1/root/disk.img
        echo done`;
      expect(await run(script)).toBe("done\n");
      expect((await readdir(await place())).toSorted()).toEqual(
        ["_data", "disk", "disk.img", "names"].slice(0, profile === "dev" ? 3 : 4),
      );
      expect(await readdir(join(await place(), "_data"))).toEqual([]);
    },
  );

  test("first files are there, with their owner; too many are refused, and leave nothing", async () => {
    const { backend, start, conversationId, there } = setUp();
    const seed = await seedDirectory();
    onTestFinished(() => rm(seed, { recursive: true, force: true }));
    const run = await start(backend, seed);
    expect(
      await run("cat plain.txt deep/er/file; ./run.sh > /dev/null; echo more >> plain.txt && readlink link"),
    ).toMatch(/^first\n[^]*plain\.txt\n$/);
    await backend.remove(conversationId);
    await writeFile(join(seed, "large"), Buffer.alloc(DISK_BYTES + 1, 1));
    await expect(start(backend, seed)).rejects.toMatchObject({ code: "disk_full" });
    expect(await backend.hasWorkspace(conversationId)).toBe(false);
    await rm(join(seed, "large"));
    expect(await (await start(backend, seed))("cat plain.txt")).toBe("first\n");
    await backend.remove(conversationId);
    expect(await there()).toEqual(NOTHING);
  });

  test("a container that is killed takes its loop device along, and the next one has the files", async () => {
    const { start, kill, there } = setUp();
    await (
      await start()
    )("echo kept > file; echo kept > ~/file; sync");
    await kill();
    await expect.poll(there).toMatchObject({ loops: 0 });
    expect(await (await start())("cat file ~/file; ls -A")).toBe("kept\nkept\nfile\n");
  });

  test("the daemon is killed, as when its machine starts anew: no loop device is left, and the files are there", async () => {
    const { start, there } = setUp();
    await (
      await start()
    )("echo kept > file; sync");
    await daemon.kill();
    await daemon.start(["--host", host]);
    await expect.poll(there).toMatchObject({ loops: 0 });
    expect(await (await start())("cat file")).toBe("kept\n");
  });

  test("a helper that is killed is followed by another, which ends with its server", async () => {
    const { installation, start, helpers, conversationId } = setUp(`${INSTALLATION}h`);
    const server = open(installation);
    await (
      await start(server)
    )("echo kept > file");
    await server.stop(conversationId);
    const [helper] = await helpers();
    await client.killContainer(helper?.id ?? "");
    expect(await (await start(server))("cat file")).toBe("kept\n");
    expect((await helpers()).map(({ id, state }) => [id === helper?.id, state])).toEqual([[false, "running"]]);
    await server.close();
    await expect.poll(helpers).toEqual([]);
  });

  test("a helper that is killed while a sandbox waits for it is followed by another", async () => {
    const { backend, start, helpers, conversationId } = setUp(`${INSTALLATION}w`);
    await (
      await start()
    )("echo kept > file");
    await backend.stop(conversationId);
    const [helper] = await helpers();
    await promisify(execFile)("docker", ["--host", host, "pause", helper?.id ?? ""]);
    const starting = start();
    await delay(500);
    await client.killContainer(helper?.id ?? "");
    expect(await (await starting)("cat file")).toBe("kept\n");
  });

  test("what a server left that was killed while it started a sandbox is made good: a mount, a disk half made", async () => {
    const { backend, installation, start, place, conversationId, names, holder, there } = setUp();
    await (
      await start()
    )("echo kept > file");
    await backend.stop(conversationId);
    await leaveMounted(await place());
    const next = open(installation);
    onTestFinished(() => next.close());
    expect(await (await start(next))("cat file")).toBe("kept\n");
    await next.remove(conversationId);
    await client.createVolume(holder, names.labels(conversationId));
    await writeFile(join(await place(), "disk.img"), "half");
    expect(await next.hasWorkspace(conversationId)).toBe(false);
    expect(await (await start(next))("ls -A; echo whole")).toBe("whole\n");
    await next.remove(conversationId);
    expect(await there()).toEqual(NOTHING);
  });

  test("nothing is left of a conversation that is removed, or no longer known; what is others' stays", async () => {
    const { backend, installation, start, place, conversationId, there } = setUp();
    const other = setUp(`${INSTALLATION}o`);
    await (
      await other.start()
    )("echo kept > file");
    await other.backend.stop(other.conversationId);
    await client.createVolume("others", {});
    onTestFinished(() => client.removeVolume("others"));
    for (const end of ["remove", "collect"] as const) {
      await start();
      await backend.stop(conversationId);
      await leaveMounted(await place());
      const next = open(installation);
      await (end === "remove" ? next.remove(conversationId) : next.collect(new Set()));
      await next.close();
      expect(await there()).toEqual(NOTHING);
    }
    expect((await client.findVolume("others"))?.labels).toEqual({});
    expect(await (await other.start())("cat file")).toBe("kept\n");
  });

  test("a workspace that is in a volume stays there, and one on a disk too when none are wanted any more", async () => {
    const { backend, installation, start, conversationId, there, names } = setUp();
    const without = open(installation, { diskHelper: false });
    onTestFinished(() => without.close());
    await (
      await start(without)
    )("echo kept > file");
    await without.stop(conversationId);
    expect(await (await start())("cat file; grep -c loop /proc/mounts")).toBe("kept\n0\n");
    expect((await there()).volumes).toContain(names.workspace(conversationId));
    await backend.remove(conversationId);
    await (
      await start()
    )("echo kept > file");
    await backend.stop(conversationId);
    expect(await (await start(without))("cat file; grep -c loop /proc/mounts")).toBe("kept\n2\n");
  });
});

async function mountsOf(name: string): Promise<readonly string[]> {
  return (await readFile("/proc/self/mountinfo", "utf8")).split("\n").filter((line) => line.includes(name));
}

/** As a helper does that is killed before it let go. */
async function leaveMounted(place: string): Promise<void> {
  await mkdir(join(place, "disk"), { recursive: true });
  const args = ["-t", "ext4", "-o", MOUNT_OPTIONS, join(place, "disk.img"), join(place, "disk")];
  expect(await runProgram("mount", args)).toMatchObject({ code: 0 });
  expect(await readdir(join(place, "disk"))).toContain("workspace");
}
