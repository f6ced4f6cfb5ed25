import { newId } from "@handrail/protocol/ids";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { OwnDaemon } from "../testing/own-daemon.ts";
import { canStartDaemon, startOwnDaemon } from "../testing/own-daemon.ts";
import { importSmallImage } from "../testing/small-image.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { dockerBackend } from "./docker-backend.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";

const IMAGE = "handrail-test/small:1";
const WAIT_MS = 60_000;

describe.skipIf(!canStartDaemon())("the daemon is killed while a sandbox works", () => {
  let daemon: OwnDaemon | undefined;
  beforeAll(async () => {
    daemon = await startOwnDaemon(["--live-restore"]);
    const client = dockerClient(dockerEndpoint({ host: daemon.host }));
    await importSmallImage(client, IMAGE);
    client.close();
  });
  afterAll(async () => daemon?.dispose());

  /** A sandbox in which a command waits for a file, and the means to make that file and to start it anew. */
  async function atWork() {
    if (daemon === undefined) throw new Error("The daemon was not started.");
    const installation = `t${newId("x", Date.now()).slice(-8)}`;
    const common = { sandboxdDirectory: builtPrograms(), egress: () => undefined, waitMs: WAIT_MS };
    const backend = dockerBackend({ ...common, host: daemon.host, installation });
    onTestFinished(async () => {
      await backend.collect(new Set());
      await backend.close();
    });
    const choice = { backend: "docker", network: { type: "none" }, image: IMAGE } as const;
    const spec = { conversationId: newId("c", Date.now()), choice, seedDirectory: undefined };
    const start = () => backend.start(spec, () => undefined, AbortSignal.timeout(WAIT_MS));
    const sandbox = await start();
    const run = (id: string, script: string, inSandbox = sandbox) => {
      const args = { argv: ["sh", "-c", script], timeoutMs: WAIT_MS, capBytes: 1000 };
      return inSandbox.call("process.run", args, { id, signal: AbortSignal.timeout(WAIT_MS) });
    };
    const waiting = run("k_waiting", "echo begun > begun; while [ ! -e go ]; do sleep 0.1; done; echo done");
    const ended = waiting.then(({ stdout }) => stdout).catch((error: { code?: string }) => error.code);
    await run("k_begun", "while [ ! -e begun ]; do sleep 0.1; done");
    return { daemon, sandbox, start, run, ended };
  }

  test("a sandbox that outlives it goes on, and the call under way is answered", async () => {
    const { daemon: dockerd, sandbox, start, run, ended } = await atWork();
    await dockerd.kill();
    await dockerd.start(["--live-restore"]);
    await run("k_go", "echo go > go");
    expect(await ended).toBe("done\n");
    expect((await start()).bootId).toBe(sandbox.bootId);
  });

  test("a sandbox that ends with it is gone, and starts again on its workspace", async () => {
    const { daemon: dockerd, sandbox, start, run, ended } = await atWork();
    await dockerd.kill();
    // Without live-restore a daemon that starts ends what an earlier one left running.
    await dockerd.start();
    expect(await ended).toBe("sandbox_gone");
    const again = await start();
    expect(again.bootId).not.toBe(sandbox.bootId);
    expect(await run("k_after", "cat begun", again)).toMatchObject({ stdout: "begun\n" });
  });
});
