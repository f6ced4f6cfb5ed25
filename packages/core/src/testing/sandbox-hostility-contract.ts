import { expect, test } from "vitest";
import { type BackendBench, freshConversation, run } from "./sandbox-bench.ts";

/** What a sandbox must not reach, and how much it may use. */
export function sandboxHostilityContract(bench: () => BackendBench): void {
  test("two conversations do not see each other's files and processes", async () => {
    const { start } = bench();
    const [one, other] = [await start(freshConversation()), await start(freshConversation())];
    await run(
      bench(),
      one,
      "echo secret > /workspace/mine; echo secret > /tmp/mine; (sleep 987.654 >/dev/null 2>&1 &)",
    );
    expect((await run(bench(), other, "cat /workspace/mine /tmp/mine")).exitCode).not.toBe(0);
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
    expect((await run(bench(), sandbox, `ls -d '${hostPath}' /var/run/docker.sock`)).exitCode).not.toBe(0);
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
    expect((await run(bench(), sandbox, "unshare -U true")).exitCode).not.toBe(0);
    expect((await run(bench(), sandbox, "(echo x > /proc/sys/kernel/core_pattern) 2>&1")).exitCode).not.toBe(0);
  });

  test("a fork bomb is contained and ends with its sandbox", async () => {
    const { backend, start, limits } = bench();
    const [bombed, other] = [freshConversation(), freshConversation()];
    const [sandbox, neighbour] = [await start(bombed), await start(other)];
    const bomb = run(bench(), sandbox, "f() { f | f & }; f; sleep 60", 60_000).catch(() => undefined);
    const counted = await run(bench(), neighbour, "sleep 2; echo calm");
    expect(counted).toEqual({ exitCode: 0, output: "calm\n" });
    expect(limits.processes).toBeLessThan(1000);
    await backend.stop(bombed);
    await bomb;
    expect(await run(bench(), await start(bombed), "echo again")).toEqual({ exitCode: 0, output: "again\n" });
  });

  test("a program that takes too much memory is ended, and the sandbox's neighbours are not", async () => {
    const { start, limits } = bench();
    const [hog, neighbour] = [await start(freshConversation()), await start(freshConversation())];
    const bytes = limits.memoryBytes * 2;
    // `tail` of endless zeros keeps all that it has read, since there is no line's end in it.
    const eaten = await run(bench(), hog, `head -c ${bytes} /dev/zero | tail -n 1 | wc -c`, 60_000).catch(
      () => undefined,
    );
    expect(eaten?.output).not.toBe(`${bytes}\n`);
    // The kernel may well end two programs for one: what holds the sandbox together must not be the second.
    const marked =
      'for _ in $(seq 100); do read -r score < /proc/$$/oom_score_adj; [ "$score" = 1000 ] && break; sleep 0.1; done';
    expect(await run(bench(), hog, `${marked}; echo $score`)).toEqual({ exitCode: 0, output: "1000\n" });
    expect(await run(bench(), neighbour, "echo calm")).toEqual({ exitCode: 0, output: "calm\n" });
  });
}
