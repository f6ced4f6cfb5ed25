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
  type UnheldLimit,
} from "./sandbox-bench.ts";
import { ISOLATION_LIMITS, ISOLATION_RULES, PROBE_PRELUDE } from "./sandbox-isolation-rules.ts";

/**
 * What a backend's profiles let hostile programs do, line by line of the guide's table, and what they can use up.
 * `make` is called before the tests. `unheld`: limits that the backend does not hold here.
 */
export function sandboxIsolationContract(
  name: string,
  profiles: readonly SandboxProfile[],
  make: () => Promise<BackendUnderTest>,
  unheld: readonly UnheldLimit[] = [],
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
  describe.each(profiles)(`${name}: the profile %s`, (profile) => profileContract(current, profile, unheld));
}

function profileContract(bench: () => BackendBench, profile: SandboxProfile, unheld: readonly UnheldLimit[]): void {
  let sandbox: Sandbox | undefined;
  beforeAll(async () => {
    sandbox = await bench().start(freshConversation(), { profile });
  });
  const current = () => {
    if (sandbox === undefined) throw new Error("The sandbox was not started.");
    return sandbox;
  };
  test("the backend says that it has the profile", async () => {
    const { backend, within } = bench();
    expect((await backend.health(within(20_000))).profiles).toContain(profile);
  });

  test.each(ISOLATION_RULES.map((rule) => [rule.what, rule[profile], rule.probe] as const))(
    "a program can %s: %s",
    async (_what, answer, probe) => {
      const { exitCode } = await run(bench(), current(), `${PROBE_PRELUDE}\n${probe}`);
      expect(exitCode === 0 ? "yes" : "no").toBe(answer);
    },
  );
  opensFiles(bench, current, profile);
  // Where only users are counted, root of a sandbox, who is the daemon's own user, is not.
  if (profile === "dev" && unheld.includes("processes")) startsAll(bench, current);
  else startsPrograms(bench, current, profile);
  const { cpus } = ISOLATION_LIMITS[profile];
  if (cpus !== undefined && !unheld.includes("CPU")) works(bench, current, cpus);
  fillsUp(bench, current);
  fillsMemory(bench, current);
}

/** Opens a file again and again; prints how many were open, and why there are no more. */
const OPEN_FILES = `perl -e 'my @held; while (open(my $file, "<", "/dev/null")) { push @held, $file } print scalar(@held), " $!"'`;
/** Starts programs, 1,000 at most; prints how many there were, and ends them. */
const START_PROGRAMS = `perl -e 'my @held; while (@held < 1000) { my $new = fork; last if !defined $new; if (!$new) { sleep 60; exit }
  push @held, $new } print scalar(@held); kill 9, @held; waitpid($_, 0) for @held'`;
/** Four programs work for two seconds; prints how much of the processors they had, in processors. */
const WORK = `perl -MTime::HiRes=time -e 'my $from = time; for (1 .. 4) { next if fork; 1 while time < $from + 2; exit }
  1 while wait > 0; my (undef, undef, $user, $system) = times; print(($user + $system) / (time - $from))'`;

function opensFiles(bench: () => BackendBench, sandbox: () => Sandbox, profile: SandboxProfile): void {
  const { openFiles } = ISOLATION_LIMITS[profile];
  test("a program that opens files without end is refused at its limit, and others go on", async () => {
    const [count, ...why] = (await run(bench(), sandbox(), OPEN_FILES)).output.split(" ");
    expect(why.join(" ")).toBe("Too many open files");
    expect(Number(count)).toBeGreaterThan(openFiles - 50);
    expect(Number(count)).toBeLessThanOrEqual(openFiles);
    expect((await run(bench(), sandbox(), "echo calm")).output).toBe("calm\n");
  });
}

function startsPrograms(bench: () => BackendBench, sandbox: () => Sandbox, profile: SandboxProfile): void {
  const { processes } = ISOLATION_LIMITS[profile];
  test("a program that starts programs without end is refused at its limit, and others go on", async () => {
    const most = Math.min(processes ?? Infinity, bench().limits.processes);
    const count = Number((await run(bench(), sandbox(), START_PROGRAMS)).output);
    expect(count).toBeGreaterThan(most / 2);
    expect(count).toBeLessThan(most);
    expect((await run(bench(), sandbox(), "echo calm")).output).toBe("calm\n");
  });
}

function startsAll(bench: () => BackendBench, sandbox: () => Sandbox): void {
  test("a program can start more programs than its sandbox may have, which is not held", async () => {
    expect((await run(bench(), sandbox(), START_PROGRAMS)).output).toBe("1000");
  });
}

function works(bench: () => BackendBench, sandbox: () => Sandbox, cpus: number): void {
  test("programs get no more of the processors than they may", async ({ skip }) => {
    if (bench().limits.cpus === "unbounded") return skip("nothing bounds processors here");
    // The kernel gives the share of a tenth of a second at its beginning, also of the one in which they end.
    expect(Number((await run(bench(), sandbox(), WORK)).output)).toBeLessThan(cpus * 1.15);
  });
}

function fillsUp(bench: () => BackendBench, sandbox: () => Sandbox): void {
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
}

function fillsMemory(bench: () => BackendBench, sandbox: () => Sandbox): void {
  test("a full /tmp and a full /run say so, and hold no more than a quarter of the memory", async () => {
    const fill = "head -c 2G /dev/zero > $at/full; stat -c 'size %s' $at/full; rm -f $at/full";
    const { output } = await run(bench(), sandbox(), `for at in /tmp /run /dev/shm; do ${fill}; done 2>&1`, 60_000);
    expect(output.match(/No space left|Read-only|cannot create|write error/g)?.length).toBe(3);
    const sizes = Array.from(output.matchAll(/^size (\d+)$/gm), ([, size]) => Number(size));
    expect(sizes.length).toBe(3);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(bench().limits.memoryBytes / 4);
  });
}
