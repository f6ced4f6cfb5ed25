import { spawn } from "node:child_process";
import { mkdtemp, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BackendUnderTest, freshConversation } from "@handrail/core/testing/sandbox-bench";
import { sandboxBackendContract } from "@handrail/core/testing/sandbox-backend-contract";
import { type DaemonUnderTest, sandboxLossContract } from "@handrail/core/testing/sandbox-loss-contract";
import { sandboxIsolationContract } from "@handrail/core/testing/sandbox-isolation-contract";
import type { AppError } from "@handrail/protocol/errors";
import { newId } from "@handrail/protocol/ids";
import type { SandboxProfile } from "@handrail/protocol/sources";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { LABEL } from "../labels/made-names.ts";
import type { Egress, EgressOrigin } from "../egress.ts";
import { once } from "../once.ts";
import { conversationPlace } from "../local/conversation-place.ts";
import { mountDisk } from "../disk/mounted-disk.ts";
import type { ContainerdDaemon } from "../testing/containerd-daemon.ts";
import { findBoxes } from "../local/find-processes.ts";
import { fillWorkspace } from "../fill-workspace.ts";
import { killProcess } from "../local/kill-all.ts";
import { runProgram } from "../run-program.ts";
import { config, plantSecret } from "../testing/config.ts";
import { canRunContainerd, startContainerd, WITH_NETWORK } from "../testing/containerd-daemon.ts";
import { importerTo, runtimeUnderTest } from "../testing/containerd-root.ts";
import { leftInDirectory, leftInRuntime } from "../testing/leftovers.ts";
import { mapsUsers } from "../testing/maps-users.ts";
import { canMakeMuslRoot, MUSL_WORK, muslRoot, workIn, writeToData } from "../testing/musl-root.ts";
import { seedDirectory } from "../testing/seed-directory.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { unpack } from "../testing/unpack.ts";
import type { ContainerdOptions } from "./containerd-backend.ts";
import { containerdBackend } from "./containerd-backend.ts";
import { handOver, PAUSE_IMAGE, rootImage } from "./containerd-images.ts";
import { criClient } from "./cri-client.ts";
import { requireLoopbackOnly } from "./pod-network.ts";

const LIMITS = { memoryBytes: 512 * 1024 ** 2, processes: 200, diskBytes: 256 * 1024 ** 2 };
const can = await canRunContainerd();

const given = config.containerdAddress !== undefined;
/** Debian's containerd has no user namespaces. */
const maps = can && (await mapsUsers());
if (can && !maps)
  process.stdout.write("dev in user namespaces is not tested: that takes a runtime with them in CONTAINERD_ADDRESS.\n");

/** One daemon for all tests, which has the default image. */
const sharedDaemon = once(runtimeUnderTest);

describe.skipIf(!can)("containerd sandboxes", () => {
  afterAll(async () => (await sharedDaemon()).dispose());

  sandboxBackendContract("containerd", true, containerdUnderTest);
  if (!given) sandboxLossContract("containerd", containerdToKill);
  sandboxIsolationContract(
    "containerd",
    ["strict", "default", ...(maps ? (["dev"] as const) : [])],
    containerdUnderTest,
  );

  test.skipIf(!maps)(
    "root is a user of the host without a name, and bounded as a whole however many it becomes",
    async () => {
      const { start, shell } = await setUp(await sharedDaemon());
      const sandbox = await start(freshConversation(), undefined, "dev");
      expect(await shell(sandbox, "cat /proc/self/uid_map /proc/self/gid_map")).toMatch(
        /^(?: *0 +([12]\d{9}) +65536\n){2}$/,
      );
      // As many users as it takes, each with a hundred programs: the limit of one user is 200.
      const many = `perl -e 'for my $user (1000 .. 1004) { for (1 .. 100) { my $made = fork; exit !print "refused" if !defined $made;
      if (!$made) { $) = $user; $> = $user; $< = $user; sleep 30; exit } } } print "all"'`;
      expect(await shell(sandbox, many)).toBe("refused");
    },
  );

  test("a program's request reaches the server's egress as its conversation's", async () => {
    const seen: { readonly origin: EgressOrigin; readonly asked: string }[] = [];
    const egress: Egress = (origin, stream) => {
      stream.once("data", (bytes: Buffer) => {
        seen.push({ origin, asked: bytes.toString("utf8").split("\r\n", 1)[0] ?? "" });
        stream.end("HTTP/1.1 418 Teapot\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      });
    };
    const { start, shell } = await setUp(await sharedDaemon(), { egress });
    const conversationId = freshConversation();
    const ask = "curl -s -o /dev/null -w '%{http_code}' http://allowed.example/x";
    expect(await shell(await start(conversationId), ask)).toBe("418");
    expect(seen).toEqual([{ origin: { conversationId }, asked: "GET http://allowed.example/x HTTP/1.1" }]);
  });

  test("temporary files are in memory, and gone from the host with the sandbox", async () => {
    const { backend, start, shell, mounted } = await setUp(await sharedDaemon());
    const conversationId = freshConversation();
    const sandbox = await start(conversationId);
    expect(await shell(sandbox, "stat -f -c %T /tmp /var/tmp /run; touch /tmp/x && chmod 700 /tmp/x && echo yes")).toBe(
      "tmpfs\ntmpfs\ntmpfs\nyes\n",
    );
    expect(await mounted()).toBe("");
    await backend.remove(conversationId);
  });

  test("a disk that a killed server left mounted is let go of, and its sandbox starts", async () => {
    const { backend, start, shell, mounted, placeOf } = await setUp(await sharedDaemon());
    const conversationId = freshConversation();
    const { image, disk } = placeOf(conversationId);
    await shell(await start(conversationId), "echo kept > /workspace/file");
    await backend.stop(conversationId);
    await mountDisk(image, disk);
    expect(await shell(await start(conversationId), "cat /workspace/file")).toBe("kept\n");
    await backend.stop(conversationId);
    await mountDisk(image, disk);
    await backend.collect(new Set([conversationId]));
    expect(await mounted()).toBe("");
  });

  test("an image that has no shell is refused with what to do, and nothing stays", async () => {
    const { start, pods } = await setUp(await sharedDaemon());
    const failure = await start(freshConversation(), PAUSE_IMAGE).catch((error: AppError) => error);
    expect(failure).toMatchObject({ code: "image_unavailable", message: expect.stringContaining("no shell") });
    expect(await pods()).toEqual([]);
  });

  test.skipIf(!canMakeMuslRoot())("an image with musl, without the GNU C library, serves", async () => {
    expect(await workIn(await startOnMusl("docker.io/handrail-test/musl:1"))).toEqual(MUSL_WORK);
  });

  test.skipIf(!canMakeMuslRoot())("what an image calls a volume is empty, and cannot be written", async () => {
    const sandbox = await startOnMusl("docker.io/handrail-test/volume:1", { Volumes: { "/data": {}, "/tmp": {} } });
    expect(await writeToData(sandbox)).toBe("refused\n");
  });

  test("an image that can neither be found nor pulled is refused with what to do", async () => {
    const { start } = await setUp(await sharedDaemon());
    const failure = await start(freshConversation(), "127.0.0.1:1/none:1").catch((error: AppError) => error);
    expect(failure).toMatchObject({ code: "image_unavailable", message: expect.stringContaining("images import") });
  });

  test.skipIf(given)("a pause image that somebody took away is handed over again", async () => {
    const daemon = await sharedDaemon();
    const { client, start, shell } = await setUp(daemon);
    await start(freshConversation());
    await runProgram("ctr", ["--address", daemon.address, "--namespace", "k8s.io", "images", "rm", PAUSE_IMAGE]);
    await expect.poll(() => client.findImage(PAUSE_IMAGE)).toBeUndefined();
    expect(await shell(await start(freshConversation()), "echo up")).toBe("up\n");
  });

  test("a runtime that gives pods a network is told as broken, and nothing is started with it", async () => {
    const daemon = await startContainerd({ network: WITH_NETWORK });
    onTestFinished(() => daemon.dispose());
    const { backend, start, pods } = await setUp(daemon, { defaultImage: PAUSE_IMAGE });
    expect(await backend.health(AbortSignal.timeout(20_000))).toMatchObject({ works: false });
    const failure = await start(freshConversation()).catch((error: AppError) => error);
    expect(failure).toMatchObject({ code: "backend_unavailable", message: expect.stringContaining("(eth0)") });
    expect(await pods()).toEqual([]);
  });

  test("a network namespace that no process holds is looked into by its path", async () => {
    const holder = spawn("unshare", ["--net", "sleep", "600"], { stdio: "ignore" });
    onTestFinished(() => void holder.kill());
    const at = (networkPath: string) => ({ pid: undefined, networkPath });
    const theirs = `/proc/${holder.pid}/ns/net`;
    const ours = await readlink("/proc/self/ns/net");
    await expect.poll(() => readlink(theirs)).not.toBe(ours);
    await requireLoopbackOnly(at(theirs));
    await expect(requireLoopbackOnly(at("/nonexistent"))).rejects.toMatchObject({ code: "backend_unavailable" });
  });

  test("a socket that nothing listens on is told with what to do", async () => {
    const backend = containerdBackend(optionsFor("/run/handrail-nobody.sock", "/nonexistent/x"));
    onTestFinished(() => backend.close());
    expect(await backend.health(AbortSignal.timeout(20_000))).toEqual({
      name: "containerd",
      works: false,
      detail: "containerd does not answer at /run/handrail-nobody.sock.",
      remedy: "Start it (systemctl start containerd), or set CONTAINERD_ADDRESS to where it listens.",
      profiles: [],
    });
  });
});

async function containerdToKill(): Promise<DaemonUnderTest> {
  const daemon = await sharedDaemon();
  const client = criClient(daemon.address);
  const under = await containerdUnderTest();
  return {
    ...under,
    killDaemon: () => daemon.kill(),
    startDaemon: () => daemon.restart(),
    outlives: "connections",
    leftovers: async (installation) => ({
      ...(await leftInRuntime(client, installation)),
      ...leftInDirectory(join(under.hostPath, installation)),
    }),
    dispose: async () => {
      client.close();
      await under.dispose();
    },
  };
}

async function containerdUnderTest(): Promise<BackendUnderTest> {
  plantSecret();
  const home = await mkdtemp(join(tmpdir(), "handrail-containerd-"));
  const { address } = await sharedDaemon();
  const client = criClient(address);
  return {
    open: async (installation: string) => containerdBackend(optionsFor(address, join(home, installation))),
    killFromOutside: async (installation: string, conversationId: string) => {
      const labels = { [LABEL.installation]: installation, [LABEL.conversation]: conversationId };
      const killed = (await client.listPods(labels)).map((pod) => pod.labels[LABEL.sandbox]);
      for (const { pid, sandboxId } of findBoxes()) if (killed.includes(sandboxId)) killProcess(pid);
    },
    seed: seedDirectory,
    fill: fillWorkspace,
    unpack,
    hostPath: home,
    limits: LIMITS,
    within: (timeoutMs: number) => AbortSignal.timeout(timeoutMs),
    dispose: async () => {
      client.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** A sandbox of a new image with musl and BusyBox alone, and with this beside its usual configuration. */
async function startOnMusl(reference: string, config: object = {}) {
  const daemon = await sharedDaemon();
  const { client, start } = await setUp(daemon);
  const tarFile = await muslRoot();
  onTestFinished(() => rm(tarFile));
  const root = await rootImage(reference, tarFile);
  const image = { ...root, config: { ...root.config, ...config } };
  await handOver(client, await importerTo(daemon), image, AbortSignal.timeout(20_000));
  return start(freshConversation(), reference);
}

/** The last part of the directory is the installation. */
function optionsFor(address: string, directory: string, more: Partial<ContainerdOptions> = {}): ContainerdOptions {
  const installation = directory.split("/").at(-1) ?? "";
  const common = { sandboxdDirectory: builtPrograms(), egress: () => undefined, limits: LIMITS };
  return { ...common, address, directory, installation, ...more };
}

async function setUp(daemon: ContainerdDaemon, more: Partial<ContainerdOptions> = {}) {
  const home = await mkdtemp(join(tmpdir(), "handrail-containerd-"));
  const installation = `t${newId("x", Date.now()).slice(-8)}`;
  const backend = containerdBackend(optionsFor(daemon.address, join(home, installation), more));
  const client = criClient(daemon.address);
  onTestFinished(async () => {
    await backend.collect(new Set());
    await backend.close();
    client.close();
    await rm(home, { recursive: true, force: true });
  });
  type Started = Awaited<ReturnType<typeof backend.start>>;
  return {
    backend,
    client,
    start: (conversationId: string, image?: string, profile: SandboxProfile = "default") => {
      const choice = {
        backend: "containerd",
        network: { type: "none" },
        profile,
        ...(image !== undefined && { image }),
      } as const;
      const spec = { conversationId, choice, seedDirectory: undefined };
      return backend.start(spec, () => undefined, AbortSignal.timeout(60_000));
    },
    shell: async (sandbox: Started, script: string) => {
      const args = { argv: ["sh", "-c", script], timeoutMs: 60_000, capBytes: 1000 };
      return (await sandbox.call("process.run", args, { signal: AbortSignal.timeout(60_000) })).stdout;
    },
    placeOf: (conversationId: string) => conversationPlace(join(home, installation), conversationId),
    pods: () => client.listPods({ [LABEL.installation]: installation }),
    /** Mounts of the host below this installation's directory. */
    mounted: async () => {
      const table = await readFile("/proc/self/mountinfo", "utf8");
      return table
        .split("\n")
        .filter((line) => line.includes(home))
        .join("\n");
    },
  };
}
