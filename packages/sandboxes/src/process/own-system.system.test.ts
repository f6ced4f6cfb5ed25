import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ISOLATION_RULES, PROBE_PRELUDE } from "@handrail/core/testing/sandbox-isolation-rules";
import { newId } from "@handrail/protocol/ids";
import { describe, expect, onTestFinished, test } from "vitest";
import { builtPrograms } from "../testing/test-programs.ts";
import { processBackend } from "./process-backend.ts";
import { runsAsRoot } from "../testing/runs-as-root.ts";

describe.skipIf(!runsAsRoot("A sandbox that is root of its own system"))(
  "a sandbox that is root of a system of its own",
  () => {
    test("changes its own alone, which is gone at its next start", async () => {
      const { run, stop } = await openBackend(false);
      const [one, other] = [newId("c", Date.now()), newId("c", Date.now())];
      const look = "ls /usr/bin/git /usr/probe /workspace 2>/dev/null";
      const firstId = "awk '$1 == 0 { print $2 }' /proc/self/uid_map";
      const change = `rm /usr/bin/git; echo x > /usr/probe; touch /workspace/mine; ${firstId}`;
      const [ofOne, ofOther] = [await run(one, `${change}; ${look}`), await run(other, change)];
      expect(ofOne.stdout).toMatch(/^\d{10}\n\/usr\/probe\n\n\/workspace:\nmine\n$/);
      expect(ofOther.stdout.trim()).not.toBe(ofOne.stdout.split("\n", 1)[0]);
      await stop(one);
      expect((await run(one, look)).stdout).toBe("/usr/bin/git\n\n/workspace:\nmine\n");
    });

    test("makes containers where that is allowed, whose root can do no more than namespaces and mounts", async () => {
      const { run } = await openBackend(true);
      const id = newId("c", Date.now());
      const contain = "unshare --user --map-root-user --mount --pid --net --fork --mount-proc bash -s";
      const inside = async (script: string) => run(id, `${contain} <<'END'\n${script}\nEND`);
      const container = `cd ~; mkdir -p up work root; mount -t overlay -o lowerdir=/usr,upperdir=up,workdir=work none root
      rm root/bin/git; ls root/bin/git; ls /usr/bin/git; chroot / /bin/true && head -n 1 "$CONTAINERS_CONF" /etc/subuid`;
      expect((await inside(container)).stdout).toBe(
        "/usr/bin/git\n==> /handrail-containers/containers.conf <==\n[containers]\n\n==> /etc/subuid <==\nroot:1:1022\n",
      );
      const can: string[] = [];
      for (const { what, probe } of ISOLATION_RULES) {
        if ((await inside(`${PROBE_PRELUDE}\n${probe}`)).exitCode === 0) can.push(what);
      }
      const usual = ISOLATION_RULES.filter(({ dev }) => dev === "yes").map(({ what }) => what);
      expect(can.filter((what) => !usual.includes(what))).toEqual([
        "have capabilities over the machine (mounts, networks, other processes, devices, time)",
        "make namespaces",
        "enter namespaces",
        "mount file systems",
        "unmount file systems",
        "change its root directory",
      ]);
    });
  },
);

async function openBackend(containers: boolean) {
  const directory = await mkdtemp(join(tmpdir(), "handrail-system-"));
  const limits = { diskBytes: 64 * 1024 ** 2 };
  const common = { directory, sandboxdDirectory: builtPrograms(), egress: () => undefined, limits, containers };
  const backend = processBackend({ ...common, installation: newId("x", Date.now()).slice(-8) });
  onTestFinished(async () => {
    await backend.collect(new Set());
    await backend.close();
    await rm(directory, { recursive: true, force: true });
  });
  const signal = AbortSignal.timeout(170_000);
  const choice = { backend: "process", profile: "dev", network: { type: "none" } } as const;
  return {
    stop: (conversationId: string) => backend.stop(conversationId),
    run: async (conversationId: string, script: string) => {
      const sandbox = await backend.start(
        { conversationId, choice, seedDirectory: undefined },
        () => undefined,
        signal,
      );
      const args = { argv: ["sh", "-c", script], timeoutMs: 60_000, capBytes: 10_000 };
      return sandbox.call("process.run", args, { signal });
    },
  };
}
