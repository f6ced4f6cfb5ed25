import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import { callsOf } from "@handrail/core/testing/sandbox-fixture";
import { newId } from "@handrail/protocol/ids";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { OwnDaemon } from "../testing/own-daemon.ts";
import { canStartDaemon, startOwnDaemon } from "../testing/own-daemon.ts";
import { importSmallImage } from "../testing/small-image.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { dockerBackend } from "./docker-backend.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";
import { hasGvisor, RUNSC } from "../testing/gvisor-handler.ts";

const IMAGE = "handrail-test/small:1";
const WITHIN_MS = 60_000;
/** CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SETGID and SETUID, as /proc writes them. */
const SIX = "00000000000000db";
/** Those, NET_ADMIN, SYS_CHROOT, SYS_ADMIN and MKNOD. */
const CONTAINERS_TAKE = 0x08_24_10_dbn;

describe.skipIf(!hasGvisor() || !canStartDaemon())(
  "the profile dev with a runtime of its own",
  { timeout: 2 * WITHIN_MS },
  () => {
    let directory = "";
    let daemon: OwnDaemon | undefined;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), "handrail-gvisor-"));
      // As daemon.json has it under "runtimeArgs".
      const script = `#!/bin/sh\nexec ${RUNSC} --platform=ptrace --network=none --host-uds=open "$@"\n`;
      await writeFile(join(directory, "runsc"), script, { mode: 0o755 });
      daemon = await startOwnDaemon([`--add-runtime=gvisor=${directory}/runsc`, "--add-runtime=same=runc"]);
      const client = dockerClient(dockerEndpoint({ host: daemon.host }));
      await importSmallImage(client, IMAGE);
      client.close();
    });
    afterAll(async () => {
      await daemon?.dispose();
      await rm(directory, { recursive: true, force: true });
    });

    /** What a script prints in a sandbox with the profile `dev`. */
    async function say(devRuntime: string, containers: boolean, script: string): Promise<string> {
      const sandbox = await startWith(devRuntime, containers);
      const args = { argv: ["sh", "-c", script], timeoutMs: WITHIN_MS, capBytes: 2000 };
      const { stdout, stderr } = await sandbox.call("process.run", args, { signal: AbortSignal.timeout(WITHIN_MS) });
      return stdout + stderr;
    }

    /** A sandbox with the profile `dev`, gone after the test. */
    function startWith(devRuntime: string, containers: boolean): Promise<Sandbox> {
      if (daemon === undefined) throw new Error("The daemon was not started.");
      const installation = `t${newId("x", Date.now()).slice(-8)}`;
      const common = { sandboxdDirectory: builtPrograms(), egress: () => undefined, host: daemon.host };
      const backend = dockerBackend({ ...common, installation, devRuntime, containers });
      onTestFinished(async () => {
        await backend.collect(new Set());
        await backend.close();
      });
      const choice = { backend: "docker", network: { type: "none" }, image: IMAGE, profile: "dev" } as const;
      const spec = { conversationId: newId("c", Date.now()), choice, seedDirectory: undefined };
      return backend.start(spec, () => undefined, AbortSignal.timeout(WITHIN_MS));
    }

    const CAPABILITIES = "grep CapEff /proc/self/status | cut -f 2";
    const MOUNT = "mkdir m; mount -t tmpfs none m 2> /dev/null && echo mounted || echo refused";

    test("gVisor gives programs a kernel of their own, with the usual capabilities", async () => {
      const said = await say("gvisor", false, `${CAPABILITIES}; ${MOUNT}; echo file > f; cat f /proc/version`);
      expect(said.split("\n", 3)).toEqual([SIX, "refused", "file"]);
      expect(said).toContain("Linux version 4.4.0 #1 SMP Sun Jan 10");
    });

    test("gVisor does not say what is in a terminal's foreground, and terminals work all the same", async () => {
      const { run } = callsOf(await startWith("gvisor", false));
      await run("cd / && COLOUR=blue");
      expect(await run('echo "$COLOUR $PWD"')).toMatchObject({ output: "blue /\n", exitCode: 0, running: false });
    });

    test("where containers are allowed, root of a kernel of its own has all capabilities over it", async () => {
      const said = await say("gvisor", true, `${MOUNT}; echo file > m/f; cat m/f; ${CAPABILITIES}`);
      const [mounted, file, capabilities = ""] = said.split("\n");
      expect([mounted, file]).toEqual(["mounted", "file"]);
      expect(BigInt(`0x${capabilities}`) & CONTAINERS_TAKE).toBe(CONTAINERS_TAKE);
    });

    test("a runtime that shares the machine's kernel gives no more than before, whatever its name", async () => {
      expect(await say("same", true, `${CAPABILITIES}; ${MOUNT}`)).toBe(`${SIX}\nrefused\n`);
    });
  },
);
