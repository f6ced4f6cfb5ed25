import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { UnheldLimit } from "@handrail/core/testing/sandbox-bench";
import { usersMayUseFuse } from "@handrail/channels/testing/may-use-fuse";
import { newId } from "@handrail/protocol/ids";
import { describe, expect, onTestFinished, test } from "vitest";
import { canBuildRoot } from "../image/build-root.ts";
import { daemonContract, daemonSuite } from "../testing/daemon-suite.ts";
import { rootlessSidecar, sharesPaths, startSidecar } from "../testing/dind-sidecar.ts";
import { daemonAnswers } from "../testing/docker-daemon.ts";
import { usersMayMapUsers } from "../testing/users-may-map-users.ts";
import type { Listed } from "../labels/listed.ts";
import { LABEL } from "../labels/made-names.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";

const WAIT_MS = 60_000;
/** Of all sandboxes together: the daemon has no control groups, and its container has. */
const BOUNDS = { memoryBytes: 1536 * 1024 ** 2, processes: 3000 };
const UNHELD: readonly UnheldLimit[] = ["memory", "processes", "CPU"];
const isKeeper = ({ labels }: Listed) => labels[LABEL.keeper] !== undefined && labels[LABEL.sandbox] === undefined;
const hasDaemon = (await daemonAnswers()) && sharesPaths() && (await canBuildRoot());
const works = hasDaemon && (await usersMayMapUsers()) && usersMayUseFuse("A rootless Docker daemon");

describe.skipIf(!works)("a Docker daemon that is a plain user, in a container beside the server", () => {
  const suite = daemonSuite(() => startSidecar(rootlessSidecar(BOUNDS)));

  daemonContract("rootless docker in a container", suite, { outlives: "nothing", unheld: UNHELD });

  /** A backend with sandboxes of new conversations. */
  function setUp() {
    const installation = `t${newId("x", Date.now()).slice(-8)}`;
    const backend = suite.open(installation);
    const client = dockerClient(dockerEndpoint(suite.daemon()));
    onTestFinished(async () => {
      await backend.collect(new Set());
      await backend.close();
      client.close();
    });
    const containers = () => client.listContainers([`${LABEL.installation}=${installation}`]);
    const start = (conversationId: string, seed?: string) => {
      const choice = { backend: "docker", network: { type: "none" } } as const;
      const spec = { conversationId, choice, seedDirectory: seed };
      return backend.start(spec, () => undefined, AbortSignal.timeout(WAIT_MS));
    };
    const run = async (sandbox: Awaited<ReturnType<typeof start>>, script: string) => {
      const args = { argv: ["sh", "-c", script], timeoutMs: WAIT_MS, capBytes: 1000 };
      return (await sandbox.call("process.run", args, { signal: AbortSignal.timeout(WAIT_MS) })).stdout;
    };
    return { backend, start, run, client, containers };
  }

  test("what it is, is said, and what it does not hold", async () => {
    const { backend } = setUp();
    const health = () => backend.health(AbortSignal.timeout(WAIT_MS));
    await expect.poll(health).toMatchObject({
      detail: expect.stringMatching(
        /^Docker \d+\.\d+\.\S+, overlay2, cgroup v[12], rootless, workspaces bounded by FUSE; no limits on: memory, processes, CPU$/,
      ),
    });
  });

  test("its sandboxes together get no more memory than its container: what takes more is ended, and all else goes on", async () => {
    const { start, run } = setUp();
    const [hog, neighbour] = [await start(newId("c", Date.now())), await start(newId("c", Date.now()))];
    // In one go: a program that runs on meanwhile reads itself from the disk again and again, which takes a minute.
    const eat = `perl -e 'print length("x" x ${BOUNDS.memoryBytes * 2})'`;
    expect(await run(hog, eat).catch(() => "")).toBe("");
    expect(await run(neighbour, "echo calm")).toBe("calm\n");
    expect(await run(await start(newId("c", Date.now())), "echo new")).toBe("new\n");
  });

  test("a sandbox has a keeper of its own, and both are gone once it has ended", async () => {
    const { backend, start, run, containers } = setUp();
    const conversationId = newId("c", Date.now());
    const sandbox = await start(conversationId);
    expect(await run(sandbox, "grep -c ' fuse ' /proc/mounts")).toBe("2\n");
    expect((await containers()).filter(isKeeper).length).toBe(1);
    await backend.stop(conversationId);
    expect(await containers()).toEqual([]);
    await expect.poll(() => suite.daemon().dead()).toEqual([]);
  });

  test("first files that do not fit say so, and leave nothing running", async () => {
    const { backend, start, containers } = setUp();
    const seed = await mkdtemp(join(tmpdir(), "handrail-seed-"));
    onTestFinished(() => rm(seed, { recursive: true }));
    await writeFile(join(seed, "large"), Buffer.alloc(suite.limits.diskBytes * 2));
    const conversationId = newId("c", Date.now());
    await expect(start(conversationId, seed)).rejects.toMatchObject({ code: "disk_full" });
    expect(await backend.hasWorkspace(conversationId)).toBe(false);
    await expect.poll(containers).toEqual([]);
  });

  test("a sandbox whose keeper is gone is not found any more, and starts again on its files", async () => {
    const { backend, start, run, client, containers } = setUp();
    const conversationId = newId("c", Date.now());
    await run(await start(conversationId), "echo kept > file");
    for (const { id } of (await containers()).filter(isKeeper)) await client.killContainer(id);
    await expect.poll(async () => (await containers()).filter(isKeeper)).toEqual([]);
    expect(await backend.find(conversationId, AbortSignal.timeout(WAIT_MS))).toBe(undefined);
    expect(await run(await start(conversationId), "cat file")).toBe("kept\n");
  });

  test("root of a sandbox is a user without rights on the machine", async () => {
    const { start, run } = setUp();
    const map = await run(await start(newId("c", Date.now())), "tr -s ' ' < /proc/self/uid_map");
    expect(map).toBe(" 0 65600 1\n 1 1700000000 65536\n");
  });
});
