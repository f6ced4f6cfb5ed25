import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "@handrail/protocol/ids";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { config } from "../testing/config.ts";
import { importSmallImage } from "../testing/small-image.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { dockerBackend } from "./docker-backend.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";

const IMAGE = "localhost/handrail-test/small-python:1";
const MIB = 1024 ** 2;
/** An emulated machine takes its time. */
const WAIT_MS = 600_000;
/** Takes files of that size each, until the system gives no more; `way` is how. Says how many MiB and files it got, and why. */
const TAKE = `
import ctypes, os, sys
way, size = sys.argv[1], int(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
number, taken = 0, 0
try:
    while True:
        file = os.open("%s/taken%d" % (("/workspace", os.environ["HOME"])[number % 2], number), os.O_RDWR | os.O_CREAT)
        number += 1
        left = size
        while left > 0:
            part = min(left, 1 << 16)
            taken += os.write(file, bytes(part))
            left -= part
        os.fsync(file)
        os.close(file)
except OSError as e: print(taken >> 20, number, e.strerror)
`;

const BOUNDED = /, workspaces bounded by quotas \((\d+) MiB, (\d+) files\); no limits on: .*a workspace's size in dev$/;
const POLLING = { timeout: WAIT_MS, interval: 1000 };

const host = config.quotaDockerHost;
if (host === undefined)
  process.stdout.write("Quotas are not tested: QUOTA_DOCKER_HOST names no daemon that has them.\n");

describe.skipIf(host === undefined)("a daemon that cannot have disks, where users have quotas", () => {
  const open = () =>
    dockerBackend({
      installation: "quotas",
      host,
      sandboxdDirectory: builtPrograms(),
      defaultImage: IMAGE,
      diskHelper: false,
      egress: () => undefined,
      limits: { memoryBytes: 512 * MIB, processes: 200 },
    });
  const backend = open();
  let quota = { mib: 0, files: 0 };
  beforeAll(async () => {
    const client = dockerClient(dockerEndpoint({ host }));
    if ((await client.findImage(IMAGE)) === undefined) await importSmallImage(client, IMAGE, ["ctypes", "os", "sys"]);
    client.close();
    quota = await vi.waitFor(async () => {
      const { detail } = await backend.health(AbortSignal.timeout(WAIT_MS));
      const [, mib, files] = BOUNDED.exec(detail) ?? [];
      expect(detail).toMatch(BOUNDED);
      return { mib: Number(mib), files: Number(files) };
    }, POLLING);
  }, WAIT_MS);
  afterAll(async () => {
    await backend.collect(new Set());
    await backend.close();
  }, WAIT_MS);

  /** A conversation of its own. */
  function conversation(seedDirectory?: string) {
    const conversationId = newId("c", Date.now());
    const choice = { backend: "docker", network: { type: "none" } } as const;
    const start = () =>
      backend.start({ conversationId, choice, seedDirectory }, () => undefined, AbortSignal.timeout(WAIT_MS));
    const run = async (...argv: string[]) => {
      const args = { argv, timeoutMs: WAIT_MS, capBytes: 2000 };
      const { stdout, stderr } = await (
        await start()
      ).call("process.run", args, { signal: AbortSignal.timeout(WAIT_MS) });
      return stdout + stderr;
    };
    const take = async (bytes: number) => {
      const [, mib, files, why] =
        /^(\d+) (\d+) (.*)\n$/.exec(await run("python3", "-IS", "-c", TAKE, "w", String(bytes))) ?? [];
      return { mib: Number(mib), files: Number(files), why };
    };
    onTestFinished(() => backend.remove(conversationId));
    return { conversationId, start, run, take };
  }

  test(
    "workspace and home together hold no more bytes, neighbours are unaffected, and what is removed can be used again",
    async () => {
      const { conversationId, start, run, take } = conversation();
      const neighbour = conversation();
      const taken = await take(3 * MIB);
      expect(taken).toMatchObject({ why: "Disk quota exceeded" });
      expect(taken.mib).toBeLessThanOrEqual(quota.mib);
      expect(taken.mib).toBeGreaterThan(quota.mib - 4);
      expect(await neighbour.run("sh", "-c", "head -c 1M /dev/zero > calm; wc -c < calm")).toBe("1048576\n");
      const write = async () => {
        const args = { path: "more", text: "m".repeat(MIB), expectedHash: null };
        return (await start()).call("file.write", args, { signal: AbortSignal.timeout(WAIT_MS) });
      };
      await expect(write()).rejects.toMatchObject({
        code: "disk_full",
        message: "The sandbox's disk quota is used up. Remove something, then try again.",
      });
      await backend.stop(conversationId);
      expect(await run("sh", "-c", "rm ~/taken1 /workspace/taken0; ls | head -n 1")).toBe("taken10\n");
      expect(await write()).toMatchObject({ path: "more" });
    },
    WAIT_MS,
  );

  test(
    "nor more files",
    async () => {
      const taken = await conversation().take(0);
      expect(taken).toMatchObject({ mib: 0, why: "Disk quota exceeded" });
      expect(taken.files).toBeLessThanOrEqual(quota.files);
      expect(taken.files).toBeGreaterThan(quota.files - 100);
    },
    WAIT_MS,
  );

  test(
    "first files that are more are refused with what to do",
    async () => {
      const seed = await mkdtemp(join(tmpdir(), "handrail-seed-"));
      onTestFinished(() => rm(seed, { recursive: true, force: true }));
      await writeFile(join(seed, "large"), Buffer.alloc((quota.mib + 1) * MIB));
      await expect(conversation(seed).start()).rejects.toMatchObject({
        code: "disk_full",
        message:
          "The first files do not fit into the space that a sandbox has. Raise the quota of its user or take fewer files.",
      });
    },
    WAIT_MS,
  );
});
