import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "@handrail/protocol/ids";
import { expect, onTestFinished, test } from "vitest";
import { runsAsRoot } from "../testing/runs-as-root.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { processBackend } from "./process-backend.ts";

/** Makes a shared mount of its own at `$1`, and in it mounts come and go until the input ends, as those of containers do. */
const CHURN = `mount -t tmpfs churn "$1" && mount --make-shared "$1" && cd "$1" && mkdir $(seq 40) || exit
( while :; do for at in *; do mount -n -t tmpfs churn $at; done; umount -n *; done ) & cat; kill $!; wait; cd /
while umount --lazy "$1" 2>/dev/null; do :; done`;

const STARTS = 25;

test.skipIf(!runsAsRoot("Mounts that come and go beside sandboxes"))(
  "a sandbox starts while mounts of others come and go",
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "handrail-churn-"));
    const [mounts, own] = await Promise.all(["mounts-", "own-"].map((name) => mkdtemp(join(directory, name))));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const churn = spawn("sh", ["-c", CHURN, "churn", mounts ?? ""], { stdio: ["pipe", "ignore", "ignore"] });
    onTestFinished(async () => {
      churn.stdin.end();
      if (churn.exitCode === null) await once(churn, "exit");
    });
    const options = { sandboxdDirectory: builtPrograms(), egress: () => undefined, directory: own ?? "" };
    const backend = processBackend({ ...options, installation: newId("x", Date.now()).slice(-8) });
    onTestFinished(async () => {
      await backend.collect(new Set());
      await backend.close();
    });
    const conversations = Array.from({ length: STARTS }, () => newId("c", Date.now()));
    const failures: unknown[] = [];
    for (const conversationId of conversations) {
      const choice = { backend: "process", network: { type: "none" } } as const;
      const spec = { conversationId, choice, seedDirectory: undefined };
      await backend
        .start(spec, () => undefined, AbortSignal.timeout(60_000))
        .catch((failure: unknown) => failures.push(failure));
      await backend.remove(conversationId);
    }
    expect(failures).toEqual([]);
  },
);
