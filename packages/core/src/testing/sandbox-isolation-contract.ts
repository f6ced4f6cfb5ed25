import type { SandboxProfile } from "@handrail/protocol/sources";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Sandbox } from "../ports/sandbox.ts";
import {
  type BackendBench,
  type BackendUnderTest,
  closeBench,
  freshConversation,
  openBench,
  run,
} from "./sandbox-bench.ts";
import { ISOLATION_RULES, PROBE_PRELUDE } from "./sandbox-isolation-rules.ts";

/**
 * What a backend's profiles let hostile programs do, line by line of the guide's table, and what they can use up.
 * `make` is called before the tests.
 */
export function sandboxIsolationContract(
  name: string,
  profiles: readonly SandboxProfile[],
  make: () => Promise<BackendUnderTest>,
): void {
  let bench: BackendBench | undefined;
  beforeAll(async () => {
    bench = await openBench(await make());
  });
  afterAll(() => closeBench(bench));
  const current = () => {
    if (bench === undefined) throw new Error("The backend was not opened.");
    return bench;
  };
  describe.each(profiles)(`${name}: the profile %s`, (profile) => profileContract(current, profile));
}

function profileContract(bench: () => BackendBench, profile: SandboxProfile): void {
  let sandbox: Sandbox | undefined;
  beforeAll(async () => {
    sandbox = await bench().start(freshConversation(), { profile });
  });
  const current = () => {
    if (sandbox === undefined) throw new Error("The sandbox was not started.");
    return sandbox;
  };
  test.each(ISOLATION_RULES.map((rule) => [rule.what, rule[profile], rule.probe] as const))(
    "a program can %s: %s",
    async (_what, answer, probe) => {
      const { exitCode } = await run(bench(), current(), `${PROBE_PRELUDE}\n${probe}`);
      expect(exitCode === 0 ? "yes" : "no").toBe(answer);
    },
  );
  usesUp(bench, current);
}

function usesUp(bench: () => BackendBench, sandbox: () => Sandbox): void {
  test("a program that opens files without end is refused, and others go on", async () => {
    const script = `perl -e 'my @held; while (open(my $file, "<", "/dev/null")) { push @held, $file } print $!'`;
    expect((await run(bench(), sandbox(), script)).output).toBe("Too many open files");
    expect((await run(bench(), sandbox(), "echo calm")).output).toBe("calm\n");
  });

  test("a full workspace says so, the home too, and what is deleted can be used again", async ({ skip }) => {
    if (bench().limits.diskBytes === undefined) return skip("nothing bounds workspaces here");
    const fill = `(head -c ${bench().limits.diskBytes} /dev/zero > full)`;
    const script = `cd /workspace; ${fill} 2>&1; cd ~; ${fill} 2>&1; rm ~/full /workspace/full; echo again > /workspace/again && cat /workspace/again`;
    const { output } = await run(bench(), sandbox(), script, 60_000);
    expect(output.match(/No space left on device|again/g)).toEqual([
      "No space left on device",
      "No space left on device",
      "again",
    ]);
  });

  test("a full /tmp and a full /run say so", async () => {
    const script = "for at in /tmp /run /dev/shm; do head -c 2G /dev/zero > $at/full; rm -f $at/full; done 2>&1";
    const { output } = await run(bench(), sandbox(), script, 60_000);
    expect(output.match(/No space left|Read-only|cannot create|write error/g)?.length).toBe(3);
  });
}
