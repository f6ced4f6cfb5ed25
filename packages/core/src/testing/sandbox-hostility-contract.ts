import { expect, test } from "vitest";
import type { Sandbox } from "../ports/sandbox.ts";
import { type BackendBench, freshConversation, run, type UnheldLimit } from "./sandbox-bench.ts";
import { PROBE_PRELUDE } from "./sandbox-isolation-rules.ts";

/** What a sandbox must not reach, and how much it may use. `unheld`: limits that are not held here. */
export function sandboxHostilityContract(bench: () => BackendBench, unheld: readonly UnheldLimit[]): void {
  test("two conversations do not see each other's files and processes", async () => {
    const { start } = bench();
    const [one, other] = [await start(freshConversation()), await start(freshConversation())];
    await run(
      bench(),
      one,
      "echo secret > /workspace/mine; echo secret > /tmp/mine; (sleep 987.654 >/dev/null 2>&1 &)",
    );
    const places = ["/workspace/mine", "/tmp/mine"];
    expect(await present(bench(), one, places)).toEqual(places);
    expect(await present(bench(), other, places)).toEqual([]);
    const seen = await run(bench(), other, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
    expect(seen.output).not.toContain("987.654");
  });

  test("there is no network but the way to the broker, not even to the host", async () => {
    const { start } = bench();
    const sandbox = await start(freshConversation());
    expect((await run(bench(), sandbox, "cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' '")).output).toBe(
      "lo\n",
    );
    expect((await run(bench(), sandbox, 'echo "$http_proxy $HTTPS_PROXY"')).output).toBe(
      "http://127.0.0.1:3128 http://127.0.0.1:3128\n",
    );
    expect((await run(bench(), sandbox, "cat /proc/net/tcp | grep -c ' 0A '")).output).toBe("1\n");
  });

  test("nothing of the server's environment is in the sandbox", async () => {
    const { start } = bench();
    const sandbox = await start(freshConversation());
    const seen = await run(bench(), sandbox, "env; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'");
    expect(seen.output).toContain("HANDRAIL=1");
    expect(seen.output).not.toContain("HANDRAIL_TEST_SECRET");
  });

  test("paths of the host are not there, and what is there cannot be written", async () => {
    const { start, hostPath } = bench();
    const sandbox = await start(freshConversation());
    const sockets = ["/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock"];
    expect(await present(bench(), sandbox, [hostPath, ...sockets, "/workspace"])).toEqual(["/workspace"]);
    const targets = "/usr/x /etc/x /handrail/x /bin/x /x";
    expect(
      (await run(bench(), sandbox, `for f in ${targets}; do (echo > $f) 2>/dev/null && echo $f; done; true`)).output,
    ).toBe("");
  });

  test("there are no capabilities and no way to new ones", async () => {
    const { start } = bench();
    const sandbox = await start(freshConversation());
    const seen = await run(
      bench(),
      sandbox,
      "grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status | cut -f2; [ $(id -u) = 0 ] || echo nobody of note",
    );
    expect(seen.output).toBe("0000000000000000\n0000000000000000\n1\nnobody of note\n");
    expect((await run(bench(), sandbox, `${PROBE_PRELUDE}\n${MAKE_NAMESPACES}`)).output).toBe("refused\n");
    const setting = "/proc/sys/kernel/core_pattern";
    const written = `[ -r ${setting} ] && echo there; (cat ${setting} > ${setting}) 2>/dev/null && echo written; true`;
    expect((await run(bench(), sandbox, written)).output).toBe("there\n");
  });

  test("a fork bomb is contained and ends with its sandbox", async () => {
    const { backend, start, limits } = bench();
    const [bombed, other] = [freshConversation(), freshConversation()];
    const [sandbox, neighbour] = [await start(bombed), await start(other)];
    // It may end the sandbox that it is in: then this call is cut off.
    const bomb = run(bench(), sandbox, FORK_BOMB, 60_000).catch(() => undefined);
    expect(await run(bench(), neighbour, "sleep 2; echo calm")).toEqual({ exitCode: 0, output: "calm\n" });
    await bomb;
    await backend.stop(bombed);
    const seen = Number((await run(bench(), await start(bombed), "cat /workspace/most")).output);
    // A list of processes that come and go while it is read has more of them than there are at once.
    expect(seen).toBeGreaterThan(limits.processes / 2);
    expect(seen).toBeLessThan(limits.processes * 4);
  });

  test("its health names the limits that are not held, and no others", async () => {
    const { backend, within } = bench();
    const detail = async () => (await backend.health(within(20_000))).detail;
    const named = async () => /no limits on: ([^;]*)/.exec(await detail())?.[1]?.split(", ") ?? [];
    await expect.poll(named).toEqual(unheld);
  });

  if (unheld.includes("memory")) memoryIsUnheld(bench);
  else memoryIsHeld(bench);
}

function memoryIsHeld(bench: () => BackendBench): void {
  test("a program that takes too much memory is ended, and the sandbox's neighbours are not", async () => {
    const { start, limits } = bench();
    const [hog, neighbour] = [await start(freshConversation()), await start(freshConversation())];
    const bytes = limits.memoryBytes * 2;
    expect((await eat(bench(), hog, bytes))?.output).not.toBe(`${bytes}\n`);
    // The kernel may well end two programs for one: what holds the sandbox together must not be the second.
    const marked =
      'for _ in $(seq 100); do read -r score < /proc/$$/oom_score_adj; [ "$score" = 1000 ] && break; sleep 0.1; done';
    expect(await run(bench(), hog, `${marked}; echo $score`)).toEqual({ exitCode: 0, output: "1000\n" });
    expect(await run(bench(), neighbour, "echo calm")).toEqual({ exitCode: 0, output: "calm\n" });
  });
}

function memoryIsUnheld(bench: () => BackendBench): void {
  test("a program gets more memory than its sandbox may have, which is not held", async () => {
    const { start, limits } = bench();
    expect((await eat(bench(), await start(freshConversation()), limits.memoryBytes * 1.25))?.output).toBe(
      `${limits.memoryBytes * 1.25}\n`,
    );
  });
}

/** Takes so much memory; undefined where its sandbox ends over it. */
async function eat(bench: BackendBench, sandbox: Sandbox, bytes: number) {
  // `tail` of endless zeros keeps all that it has read, since there is no line's end in it.
  return run(bench, sandbox, `head -c ${bytes} /dev/zero | tail -n 1 | wc -c`, 60_000).catch(() => undefined);
}

/**
 * Namespaces of users, mounts and processes, by the system call: an image need not have `unshare`. One without perl
 * cannot make the call: there is a filter of system calls at least.
 */
const MAKE_NAMESPACES = `if command -v perl > /dev/null
  then for kind in 268435456 131072 536870912; do ask 272 97 $kind && echo made; done; ask 39 172 && echo refused
  else grep -q '^Seccomp:.2$' /proc/self/status && echo refused
  fi`;

/**
 * A bomb, and a shell beside it that starts nothing itself: for two seconds or three it writes down how many processes
 * it saw at most. The bomb goes on.
 */
const FORK_BOMB = `f() { f | f & }; f >/dev/null 2>&1 &
  most=0; read -r now rest < /proc/uptime; until=$((\${now%.*} + 3))
  while [ \${now%.*} -lt $until ]; do
    set -- /proc/[0-9]*; [ $# -gt $most ] && most=$# && echo $most > /workspace/most
    read -r now rest < /proc/uptime
  done`;

/** Which of these paths are there in a sandbox. */
async function present(bench: BackendBench, sandbox: Sandbox, paths: readonly string[]): Promise<readonly string[]> {
  const words = paths.map((path) => `'${path}'`).join(" ");
  const seen = await run(bench, sandbox, `for at in ${words}; do ls -d "$at" 2>/dev/null; done; true`);
  return seen.output.split("\n").filter((line) => line !== "");
}
