import type { Sandbox } from "@handrail/core/ports/sandbox";
import { newId } from "@handrail/protocol/ids";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { DISK_FILLERS, endOf, FILLER_MODULES } from "../testing/disk-fillers.ts";
import { canStartDaemon, type OwnDaemon, startOwnDaemon } from "../testing/own-daemon.ts";
import { importSmallImage } from "../testing/small-image.ts";
import { type SmallDisk, smallDisk } from "../testing/small-disk.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { dockerBackend } from "./docker-backend.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";

const IMAGE = "handrail-test/small-python:1";
const MIB = 1024 ** 2;
const MACHINE_BYTES = 2048 * MIB;
const WAIT_MS = 60_000;

/** Runs a program in it that goes on until it is ended. */
const fill = (sandbox: Sandbox, script: string) =>
  sandbox.call(
    "process.run",
    { argv: ["python3", "-IS", "-c", script], timeoutMs: WAIT_MS, capBytes: 1000 },
    { signal: AbortSignal.timeout(WAIT_MS) },
  );

describe.skipIf(!canStartDaemon())("a small machine, on whose daemon workspaces have no bound", () => {
  let machine: SmallDisk;
  let daemon: OwnDaemon;
  beforeAll(async () => {
    machine = await smallDisk(MACHINE_BYTES);
    daemon = await startOwnDaemon(["--data-root", machine.path]);
    const client = dockerClient(dockerEndpoint({ host: daemon.host }));
    await importSmallImage(client, IMAGE, FILLER_MODULES);
    client.close();
  });
  afterAll(async () => {
    await daemon.dispose();
    await machine.dispose();
  });

  function setUp() {
    const backend = dockerBackend({
      // One for all tests: each has sandboxd once more on the disk.
      installation: "full",
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
      message: expect.stringMatching(/less than 1024 MiB or 32768 files are free .* Remove files that are not needed/),
    });
    expect(await machine.freeMib()).toBeGreaterThan(512);
    expect(await run("cat kept; rm large")).toBe("kept\n");
    expect(await run("head -c 20M /dev/zero > small; ls")).toBe("kept\nsmall\n");
  });

  test.each(DISK_FILLERS)(
    "never is full, whatever a program there tries that $tries",
    async ({ script, tries, end }) => {
      const { backend, conversationId, run, start } = setUp();
      const neighbour = setUp();
      await neighbour.run("echo calm > calm");
      const call = fill(await start(), script);
      const least = await machine.leastFree(call);
      process.stdout.write(`docker, a program that ${tries}: ${JSON.stringify(least)} were left at least\n`);
      expect(await endOf(call)).toBe(end);
      expect(least.mib).toBeGreaterThan(0);
      expect(least.files).toBeGreaterThan(0);
      await backend.stop(conversationId);
      await expect(run("rm -rf ./*; ls")).resolves.toBe("");
      expect(await neighbour.run("cat calm")).toBe("calm\n");
    },
    180_000,
  );

  test("nor when several try it at once", async () => {
    const boxes = await Promise.all(Array.from({ length: 4 }, () => setUp().start()));
    const scripts = DISK_FILLERS.filter(({ end }) => end === "disk_full").map(({ script }) => script);
    const ends = boxes.map((box, number) => endOf(fill(box, scripts[number] ?? "")));
    const least = await machine.leastFree(Promise.all(ends));
    process.stdout.write(`docker, four at once: ${JSON.stringify(least)} were left at least\n`);
    expect(await Promise.all(ends)).toEqual(boxes.map(() => "disk_full"));
    expect(least.mib).toBeGreaterThan(0);
    expect(least.files).toBeGreaterThan(0);
  }, 180_000);

  test("where others fill it sandboxes end, and start again when there is room", async () => {
    const { backend, conversationId, run, start } = setUp();
    await run("echo kept > kept");
    await machine.takeAllBut(400);
    const found = () => backend.find(conversationId, AbortSignal.timeout(WAIT_MS));
    await expect.poll(found, { timeout: WAIT_MS }).toBe(undefined);
    await expect(start()).rejects.toMatchObject({
      code: "disk_full",
      message: expect.stringMatching(/less than 512 MiB or 16384 files are free .* The sandbox was ended\.$/),
    });
    await machine.giveBack();
    expect(await run("cat kept")).toBe("kept\n");
  });
});
