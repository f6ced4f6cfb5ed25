import { mkdir, mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "@handrail/protocol/ids";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { runProgram } from "../run-program.ts";
import { canStartDaemon, type OwnDaemon, startOwnDaemon } from "../testing/own-daemon.ts";
import { importSmallImage } from "../testing/small-image.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { dockerBackend } from "./docker-backend.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";

const IMAGE = "handrail-test/small:4";
const MIB = 1024 ** 2;
const MACHINE_BYTES = 1536 * MIB;
const WAIT_MS = 60_000;

const done = async (program: string, ...args: string[]) => {
  const { code, stderr } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${program}: ${stderr}`);
};

describe.skipIf(!canStartDaemon())("a small machine, on whose daemon workspaces have no bound", () => {
  let directory: string;
  let machine: string;
  let daemon: OwnDaemon;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "handrail-full-"));
    machine = join(directory, "machine");
    await mkdir(machine);
    const image = join(directory, "image");
    await done("mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", image, `${MACHINE_BYTES / 1024}k`);
    await done("mount", "-o", "loop", image, machine);
    daemon = await startOwnDaemon(["--data-root", machine]);
    const client = dockerClient(dockerEndpoint({ host: daemon.host }));
    await importSmallImage(client, IMAGE);
    client.close();
  });
  afterAll(async () => {
    await daemon.dispose();
    await done("umount", "--lazy", machine);
    await rm(directory, { recursive: true, force: true });
  });

  const freeMib = async () => {
    const { bavail, bsize } = await statfs(machine);
    return (bavail * bsize) / MIB;
  };

  function setUp() {
    const backend = dockerBackend({
      installation: `t${newId("x", Date.now()).slice(-8)}`,
      host: daemon.host,
      sandboxdDirectory: builtPrograms(),
      defaultImage: IMAGE,
      diskHelper: false,
      egress: () => undefined,
      limits: { memoryBytes: 512 * MIB, processes: 200 },
    });
    onTestFinished(async () => {
      await backend.collect(new Set());
      await backend.close();
    });
    const conversationId = newId("c", Date.now());
    const choice = { backend: "docker", network: { type: "none" } } as const;
    const start = () => {
      const spec = { conversationId, choice, seedDirectory: undefined };
      return backend.start(spec, () => undefined, AbortSignal.timeout(WAIT_MS));
    };
    const run = async (script: string) => {
      const args = { argv: ["sh", "-c", script], timeoutMs: WAIT_MS, capBytes: 1000 };
      return (await (await start()).call("process.run", args, { signal: AbortSignal.timeout(WAIT_MS) })).stdout;
    };
    return { backend, conversationId, start, run };
  }

  test("programs that would fill it are ended with what to do, and others make room", async () => {
    const { run } = setUp();
    await run("echo kept > kept");
    // Not faster than a busy machine takes to look: what goes beyond it is the next test's.
    await expect(run("while head -c 20M /dev/zero >> large; do sleep 0.05; done")).rejects.toMatchObject({
      code: "disk_full",
      message: expect.stringMatching(/less than 512 MiB are free .* Remove files that are not needed/),
    });
    expect(await freeMib()).toBeGreaterThan(256);
    expect(await run("cat kept; rm large")).toBe("kept\n");
    expect(await run("head -c 20M /dev/zero > small; ls")).toBe("kept\nsmall\n");
  });

  test("where others fill it sandboxes end, and start again when there is room", async () => {
    const { backend, conversationId, run, start } = setUp();
    await run("echo kept > kept");
    const others = join(machine, "others");
    await done("fallocate", "--length", `${Math.floor((await freeMib()) - 200)}MiB`, others);
    const found = () => backend.find(conversationId, AbortSignal.timeout(WAIT_MS));
    await expect.poll(found, { timeout: WAIT_MS }).toBe(undefined);
    await expect(start()).rejects.toMatchObject({
      code: "disk_full",
      message: expect.stringMatching(/less than 256 MiB are free .* The sandbox was ended\.$/),
    });
    await rm(others);
    expect(await run("cat kept")).toBe("kept\n");
  });
});
