import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "@handrail/protocol/ids";
import { expect, onTestFinished, test } from "vitest";
import { builtPrograms } from "../testing/test-programs.ts";
import { processBackend } from "./process-backend.ts";

test.skipIf(process.getuid?.() !== 0)(
  "what a sandbox that is root changes of its system is its own, and gone at its next start",
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "handrail-system-"));
    const limits = { diskBytes: 64 * 1024 ** 2 };
    const common = { directory, sandboxdDirectory: builtPrograms(), egress: () => undefined, limits };
    const backend = processBackend({ ...common, installation: newId("x", Date.now()).slice(-8) });
    const [one, other] = [newId("c", Date.now()), newId("c", Date.now())];
    onTestFinished(async () => {
      await Promise.all([one, other].map((id) => backend.remove(id)));
      await backend.close();
      await rm(directory, { recursive: true, force: true });
    });
    const signal = AbortSignal.timeout(30_000);
    const choice = { backend: "process", profile: "dev", network: { type: "none" } } as const;
    const run = async (conversationId: string, script: string) => {
      const sandbox = await backend.start(
        { conversationId, choice, seedDirectory: undefined },
        () => undefined,
        signal,
      );
      const args = { argv: ["sh", "-c", script], timeoutMs: 10_000, capBytes: 10_000 };
      return (await sandbox.call("process.run", args, { signal })).stdout;
    };
    const look = "ls /usr/bin/git /usr/probe /workspace 2>/dev/null";
    const change =
      "rm /usr/bin/git; echo x > /usr/probe; touch /workspace/mine; awk '$1 == 0 { print $2 }' /proc/self/uid_map";
    const [firstId, otherId] = [await run(one, `${change}; ${look}`), await run(other, change)];
    expect(firstId).toMatch(/^\d{10}\n\/usr\/probe\n\n\/workspace:\nmine\n$/);
    expect(otherId.trim()).not.toBe(firstId.split("\n", 1)[0]);
    await backend.stop(one);
    expect(await run(one, look)).toBe("/usr/bin/git\n\n/workspace:\nmine\n");
  },
);
