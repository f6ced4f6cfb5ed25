import { newId } from "@handrail/protocol/ids";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verdictAmong } from "./attack.ts";
import { EXHAUSTION_ATTACKS, type DamageAttack } from "./cases/damage-attacks.ts";
import { SANDBOXD_ATTACKS } from "./cases/sandboxd-attacks.ts";
import { sandboxdAttacksOn } from "./on-containerd.ts";
import { ALL_STAGES, openStage, STAGE_CAP_BYTES, type Stage, type StageBackend, type StagedSandbox } from "./stage.ts";

/** How much later than alone a neighbour's answer may be, half of the time. */
const LATER_MS = 100;
/** How late any of its answers may be. */
const LATEST_MS = 5000;

/** There one sandbox is attacked again and again, since a start takes longer. */
const SHARED: StageBackend = "containerd";

const attacksOn = (name: StageBackend): readonly DamageAttack[] => [
  ...(name === SHARED ? [] : EXHAUSTION_ATTACKS),
  ...sandboxdAttacksOn(name, SANDBOXD_ATTACKS),
];
const sharedAttacksOn = (name: StageBackend) => (name === SHARED ? EXHAUSTION_ATTACKS : []);

for (const name of ALL_STAGES) {
  describe(`${name}: beside a neighbour, a program in the sandbox that tries`, () => {
    let stage: Stage;
    let neighbour: StagedSandbox;
    beforeAll(async () => {
      stage = await openStage(name);
      neighbour = await stage.start();
    });
    afterAll(() => stage?.end());

    test.each(attacksOn(name).map((attack) => [attack.id, attack.tries, attack] as const))(
      "%s, to %s, harms only itself",
      (_id, _tries, attack) =>
        expectQuick(neighbour, async () => {
          const attacker = await stage.start();
          await attacker.shell("echo mine > /workspace/mine");
          const fared = await besideNeighbour(attack, attacker, neighbour);
          if (attack.id.startsWith("sandboxd.")) await expectUnharmed(attacker);
          await stage.backend.stop(attacker.conversationId);
          const again = await stage.start(attacker.conversationId);
          expect((await again.shell("cat /workspace/mine")).output).toBe("mine\n");
          expectHeld(attack, fared, name);
          expect(await stage.left(attacker.conversationId)).not.toEqual([]);
          await stage.backend.remove(attacker.conversationId);
          await expect.poll(() => stage.left(attacker.conversationId)).toEqual([]);
          return fared.latencies;
        }),
    );

    const shared = newId("c", Date.now());
    test.each(sharedAttacksOn(name).map((attack) => [attack.id, attack.tries, attack] as const))(
      "%s, to %s, harms only itself, and what it left can be taken away",
      (_id, _tries, attack) =>
        expectQuick(neighbour, async () => {
          const attacker = await stage.start(shared);
          const fared = await besideNeighbour(attack, attacker, neighbour);
          expectHeld(attack, fared, name);
          await attacker.shell("kill -9 -1");
          const clean = "rm -rf /workspace/* ~/* /tmp/* /dev/shm/* /run/* 2>/dev/null; echo mine > /workspace/mine";
          // The kernel takes a moment to give back what killed programs had.
          const cleaned = async () => (await attacker.shell(`${clean}; cat /workspace/mine`)).output;
          await expect.poll(cleaned).toBe("mine\n");
          return fared.latencies;
        }),
    );
  });
}

/** The attack says that it got nothing, in a sandbox that goes on, and the neighbour was answered all the time. */
function expectHeld({ id }: DamageAttack, { said, answers, latencies }: Fared, name: StageBackend): void {
  const verdict = verdictAmong(said);
  process.stdout.write(`${name} ${id}: ${verdict}; neighbour ${answers.length} calls, ${figuresOf(latencies)}\n`);
  expect(new Set(answers)).toEqual(new Set(["0 calm"]));
  expect(verdict).toMatch(/^HELD/);
  expect(said.length).toBeLessThan(STAGE_CAP_BYTES + 1000);
}

/** sandboxd is the one that was there before, answers at once, and was neither read nor replaced. */
async function expectUnharmed(attacker: StagedSandbox): Promise<void> {
  const { sandbox } = attacker;
  const gone = await Promise.race([sandbox.gone, Promise.resolve("here")]);
  const { output } = await attacker.shell("cat /workspace/mine; cat /proc/1/comm");
  const started = await attacker.shell("for i in 1 2 3 4 5 6 7 8 9 10; do (true) & done; wait; echo $?");
  expect({ gone, output, started: started.output }).toEqual({
    gone: "here",
    output: "mine\nsandboxd\n",
    started: "0\n",
  });
}

/** What the attack said, or what went wrong; what the neighbour was answered, and how long each answer took. */
type Fared = { readonly said: string; readonly answers: readonly string[]; readonly latencies: readonly number[] };

async function besideNeighbour(
  attack: DamageAttack,
  attacker: StagedSandbox,
  neighbour: StagedSandbox,
): Promise<Fared> {
  const over = new AbortController();
  const script = `export HOLD=${attack.forMs / 1000}\n${attack.script}`;
  const running = attacker
    .shell(script, 60_000)
    .then(({ output }) => output, String)
    .finally(() => over.abort());
  const answers: string[] = [];
  const latencies: number[] = [];
  while (!over.signal.aborted || answers.length < 5) {
    const at = performance.now();
    answers.push(await askCalm(neighbour));
    latencies.push(performance.now() - at);
  }
  return { said: await running, answers, latencies };
}

async function askCalm(neighbour: StagedSandbox): Promise<string> {
  const { exitCode, output } = await neighbour.shell("echo calm", 30_000);
  return `${exitCode} ${output.trim()}`;
}

/**
 * A neighbour is answered nearly as soon as it is alone, in one of three attempts: other programs of the machine take
 * its time too. An attempt gives how long each answer took.
 */
async function expectQuick(neighbour: StagedSandbox, attempt: () => Promise<readonly number[]>): Promise<void> {
  const seen: string[] = [];
  while (seen.length < 3) {
    const beside = await attempt();
    const alone = isQuick(beside, 0) ? [] : await aloneLatencies(neighbour);
    if (isQuick(beside, at(alone, 0.5))) return;
    seen.push(`beside: ${figuresOf(beside)}; alone: ${figuresOf(alone)}`);
  }
  expect(seen).toEqual([]);
}

const isQuick = (latencies: readonly number[], aloneMs: number) =>
  at(latencies, 0.5) <= aloneMs + LATER_MS && at(latencies, 1) <= LATEST_MS;

async function aloneLatencies(neighbour: StagedSandbox): Promise<readonly number[]> {
  const latencies: number[] = [];
  while (latencies.length < 20) {
    const from = performance.now();
    await askCalm(neighbour);
    latencies.push(performance.now() - from);
  }
  return latencies;
}

function figuresOf(latencies: readonly number[]): string {
  const [half, most, last] = [0.5, 0.99, 1].map((part) => at(latencies, part).toFixed(1));
  return `p50 ${half} ms, p99 ${most} ms, latest ${last} ms`;
}

/** The value that this part of them is below; 0 of none. */
function at(all: readonly number[], part: number): number {
  const sorted = all.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
