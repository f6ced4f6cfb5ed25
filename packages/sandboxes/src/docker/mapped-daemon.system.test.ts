import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "@handrail/protocol/ids";
import type { SandboxProfile } from "@handrail/protocol/sources";
import { describe, expect, onTestFinished, test } from "vitest";
import { canBuildRoot } from "../image/build-root.ts";
import { madeNames } from "../labels/made-names.ts";
import { containerUid } from "../sandbox-user.ts";
import { daemonStarts, daemonSuite } from "../testing/daemon-suite.ts";
import { canStartDaemon, startOwnDaemon } from "../testing/own-daemon.ts";
import { seedDirectory } from "../testing/seed-directory.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";

const WAIT_MS = 60_000;
/** Root is one user, and all others are elsewhere: what is not looked up is wrong. */
const SUBORDINATES = {
  users: "nobody:70001:1\nnobody:300000:65535\n",
  groups: "nobody:400000:65536\n",
};
const works = canStartDaemon() && (await canBuildRoot());

describe.skipIf(!works)("a daemon with user namespaces", () => {
  const suite = daemonSuite(() => startOwnDaemon([], SUBORDINATES));

  daemonStarts("docker with user namespaces", suite, { outlives: "nothing" });

  /** A server with a directory for disks, which such a daemon's sandboxes could not see. */
  async function setUp() {
    const installation = `t${newId("x", Date.now()).slice(-8)}`;
    const directory = await mkdtemp(join(tmpdir(), "handrail-docker-"));
    const client = dockerClient(dockerEndpoint({ host: suite.daemon().host }));
    const backend = suite.open(installation, { directory });
    onTestFinished(async () => {
      await backend.collect(new Set());
      await backend.close();
      client.close();
      await rm(directory, { recursive: true, force: true });
    });
    const conversationId = newId("c", Date.now());
    const start = async (profile: SandboxProfile, seedDirectory?: string) => {
      const choice = { backend: "docker", network: { type: "none" }, profile } as const;
      const spec = { conversationId, choice, seedDirectory };
      const sandbox = await backend.start(spec, () => undefined, AbortSignal.timeout(WAIT_MS));
      return async (script: string) => {
        const args = { argv: ["sh", "-c", script], timeoutMs: WAIT_MS, capBytes: 1000 };
        const { stdout, stderr } = await sandbox.call("process.run", args, { signal: AbortSignal.timeout(WAIT_MS) });
        return stdout + stderr;
      };
    };
    const place = async () => {
      const volume = await client.findVolume(madeNames(installation).disk(conversationId));
      return join(volume?.directory ?? "", "..");
    };
    return { backend, conversationId, start, place };
  }

  test("bounds workspaces, and says so", async () => {
    const { backend, start, place } = await setUp();
    const run = await start("default");
    const detail = async () => (await backend.health(AbortSignal.timeout(WAIT_MS))).detail;
    await expect.poll(detail).toMatch(/, rootful, user namespaces, workspaces bounded$/);
    expect(await run("head -c 40M /dev/zero > /workspace/a; head -c 40M /dev/zero > ~/b")).toMatch(/No space left/);
    expect((await stat(join(await place(), "disk.img"))).blocks * 512).toBeLessThanOrEqual(suite.limits.diskBytes);
  });

  test.each(["default", "dev"] as const)(
    "with the profile %s first files and new ones are the sandbox's user's, who is another on the machine",
    async (profile) => {
      const { backend, conversationId, start } = await setUp();
      const seed = await seedDirectory();
      onTestFinished(() => rm(seed, { recursive: true, force: true }));
      const own = profile === "dev" ? 0 : containerUid(conversationId, true);
      const run = await start(profile, seed);
      expect(await run("tr -s ' ' < /proc/self/uid_map")).toBe(" 0 70001 1\n 1 300000 65535\n");
      const script =
        "echo new > new && echo more >> plain.txt && cd ~ && touch home && stat -c %u:%g . home /workspace";
      expect(await run(`${script} /workspace/new /workspace/plain.txt; sync`)).toBe(`${own}:${own}\n`.repeat(5));
      await backend.stop(conversationId);
      expect(await (await start(profile))("cat new; tail -n 1 plain.txt; ls ~")).toBe("new\nmore\nhome\n");
    },
  );
});
