import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import { freshConversation } from "@handrail/core/testing/sandbox-bench";
import { callsOf } from "@handrail/core/testing/sandbox-fixture";
import { ISOLATION_RULES, PROBE_PRELUDE } from "@handrail/core/testing/sandbox-isolation-rules";
import type { AppError } from "@handrail/protocol/errors";
import { newId } from "@handrail/protocol/ids";
import type { SandboxProfile } from "@handrail/protocol/sources";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { LABEL } from "../labels/made-names.ts";
import type { ContainerdDaemon } from "../testing/containerd-daemon.ts";
import { canRunContainerd } from "../testing/containerd-daemon.ts";
import { startContainerdWithImage } from "../testing/containerd-root.ts";
import { handlersWithGvisor, hasGvisor } from "../testing/gvisor-handler.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import type { ContainerdOptions } from "./containerd-backend.ts";
import { containerdBackend } from "./containerd-backend.ts";
import { criClient } from "./cri-client.ts";

const WITHIN_MS = 60_000;
const LIMITS = { memoryBytes: 512 * 1024 ** 2, processes: 200, diskBytes: 64 * 1024 ** 2 };

/** What gVisor's kernel has none of a filter for, or does not show; the machine's kernel is asked none of it. */
const OTHERWISE: Readonly<Record<string, "yes" | "no">> = {
  // It does not say whether there are new privileges to be had.
  "gain rights by set-user-ID programs": "yes",
  "make every system call": "yes",
  "read its own other programs' memory": "no",
  "make namespaces": "yes",
  "enter namespaces": "yes",
  "use the machine's keyrings": "yes",
  "measure the kernel (perf)": "yes",
  "use io_uring": "yes",
  "open files by handle": "yes",
  "type into other programs' terminals (TIOCSTI)": "yes",
  "use other sockets (packets, crypto, virtual machines)": "yes",
};

const can = (await canRunContainerd()) && hasGvisor();

describe.skipIf(!can)("the profile dev of containerd with gVisor", { timeout: 2 * WITHIN_MS }, () => {
  let directory = "";
  let daemon: ContainerdDaemon | undefined;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "handrail-gvisor-"));
    daemon = await startContainerdWithImage({ more: await handlersWithGvisor(directory) });
  });
  afterAll(async () => {
    await daemon?.dispose();
    await rm(directory, { recursive: true, force: true });
  });

  /** A backend of an installation of its own, gone after the test. */
  function openBackend(options: Partial<ContainerdOptions>) {
    if (daemon === undefined) throw new Error("The daemon was not started.");
    const { address } = daemon;
    const installation = `t${newId("x", Date.now()).slice(-8)}`;
    const common = { sandboxdDirectory: builtPrograms(), egress: () => undefined, limits: LIMITS, installation };
    const backend = containerdBackend({ ...common, address, directory: join(directory, installation), ...options });
    const client = criClient(address);
    onTestFinished(async () => {
      await backend.collect(new Set());
      await backend.close();
      client.close();
    });
    const start = (conversationId = freshConversation(), profile: SandboxProfile = "dev"): Promise<Sandbox> => {
      const choice = { backend: "containerd", network: { type: "none" }, profile } as const;
      const spec = { conversationId, choice, seedDirectory: undefined };
      return backend.start(spec, () => undefined, AbortSignal.timeout(WITHIN_MS));
    };
    const pods = () => client.listPods({ [LABEL.installation]: installation });
    return { backend, start, pods };
  }

  async function say(sandbox: Sandbox, script: string): Promise<string> {
    const args = { argv: ["sh", "-c", script], timeoutMs: WITHIN_MS, capBytes: 4000 };
    const { stdout, stderr } = await sandbox.call("process.run", args, { signal: AbortSignal.timeout(WITHIN_MS) });
    return stdout + stderr;
  }

  test("a handler with a kernel of its own offers it, and what asked the kernel is gone", async () => {
    const { backend, pods } = openBackend({ devRuntime: "gvisor" });
    const health = await backend.health(AbortSignal.timeout(WITHIN_MS));
    expect(health).toMatchObject({ works: true, detail: expect.stringMatching(/; dev with the kernel of gvisor$/) });
    expect(health.remedy).toBeUndefined();
    expect(await pods()).toEqual([]);
  });

  test("line by line a program can do what the table says, but for what its own kernel lets it", async () => {
    const sandbox = await openBackend({ devRuntime: "gvisor" }).start();
    const { call } = callsOf(sandbox);
    const said: (readonly [string, string])[] = [];
    for (const { what, probe } of ISOLATION_RULES) {
      const argv = ["sh", "-c", `${PROBE_PRELUDE}\n${probe}`];
      const { exitCode } = await call("process.run", { argv, timeoutMs: WITHIN_MS, capBytes: 1000 });
      said.push([what, exitCode === 0 ? "yes" : "no"]);
    }
    expect(said).toEqual(ISOLATION_RULES.map(({ what, dev }) => [what, OTHERWISE[what] ?? dev]));
  });

  test("root installs a package, which is gone at the next start; the workspace stays", async () => {
    const { backend, start } = openBackend({ devRuntime: "gvisor" });
    const conversationId = freshConversation();
    const install = `mkdir -p deb/DEBIAN deb/usr/bin && printf '#!/bin/sh\\necho installed\\n' > deb/usr/bin/probe && chmod 755 deb/usr/bin/probe &&
      printf 'Package: probe\\nVersion: 1\\nArchitecture: all\\nMaintainer: n <n@n>\\nDescription: probe\\n' > deb/DEBIAN/control &&
      dpkg-deb -b deb probe.deb > build.log && apt-get install -y ./probe.deb > apt.log 2>&1; probe`;
    expect(await say(await start(conversationId), install)).toBe("installed\n");
    await backend.stop(conversationId);
    const again = await say(await start(conversationId), "command -v probe; cat build.log");
    expect(again).toBe("dpkg-deb: building package 'probe' in 'probe.deb'.\n");
  });

  test.each([
    ["dev", { devRuntime: "gvisor" }],
    ["default", { runtimeHandler: "gvisor" }],
  ] as const)(
    "what takes more memory than the sandbox has ends it, which starts again: %s",
    async (profile, options) => {
      const { start } = openBackend(options);
      const conversationId = freshConversation();
      const sandbox = await start(conversationId, profile);
      await say(sandbox, "echo kept > /workspace/file");
      const hog = say(sandbox, `perl -e 'print length("x" x ${2 * LIMITS.memoryBytes})'`);
      expect(await hog.catch((error: AppError) => error.code)).toBe("sandbox_gone");
      expect(await say(await start(conversationId, profile), "cat /workspace/file")).toBe("kept\n");
    },
  );

  test("where containers are allowed, root has what they take over a kernel of its own", async () => {
    const sandbox = await openBackend({ devRuntime: "gvisor", containers: true }).start();
    const mounted =
      "mkdir m && mount -t tmpfs none m && echo file > m/f && cat m/f && chroot / /bin/true && echo rooted";
    expect(await say(sandbox, mounted)).toBe("file\nrooted\n");
  });

  const REFUSED: readonly (readonly [string, string | undefined, string])[] = [
    ["the machine's kernel", "same", "the handler same gives pods neither a kernel nor users of their own"],
    ["a handler that is not there", "none", "the runtime has no handler none (it has: "],
    ["no handler and a runtime of before user namespaces", undefined, "gives pods no users of their own"],
  ];
  test.each(REFUSED)("with %s it is refused with the reason, which health says too", async (_what, devRuntime, why) => {
    const { backend, start, pods } = openBackend({ devRuntime });
    const failure = await start().catch((error: AppError) => error);
    expect(failure).toMatchObject({ code: "backend_unavailable", message: expect.stringContaining(why) });
    const { works, detail, remedy } = await backend.health(AbortSignal.timeout(WITHIN_MS));
    expect({ works, detail, told: remedy !== undefined }).toEqual({
      works: true,
      detail: expect.stringContaining(`; no profile dev: `),
      told: devRuntime !== undefined,
    });
    expect(detail).toContain(why);
    expect(await pods()).toEqual([]);
  });
});
